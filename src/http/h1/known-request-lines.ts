import type { Minor } from './start-lines.ts';
import { hashOf, sameBytes } from './words.ts';

/** Longer ones are read each time. */
export const REQUEST_LINE_BYTES_MAX = 256;

/** Of one thread: 150 kB at most. A power of two. */
const LINES_MAX = 256;

export type SaidRequest = { readonly minor: Minor; readonly method: string; readonly target: string };

type Known = { readonly line: DataView; readonly bytes: number; readonly said: SaidRequest };

const known: (Known | null)[] = new Array(LINES_MAX).fill(null);
/** What was sought last in each place, and was not there: most of what comes once never comes again. */
const missed = new Int32Array(LINES_MAX);
let soughtHash = 0;

/**
 * What the request line at `view[at]` says that ends before `view[end]`, if it is known; then its target is the same
 * string each time. To read it takes 1400 instructions, to find it 200.
 */
export function knownRequest(view: DataView, at: number, end: number): SaidRequest | null {
  soughtHash = 0;
  const bytes = end - at;
  if (bytes > REQUEST_LINE_BYTES_MAX) return null;
  soughtHash = hashOf(view, at, end);
  const found = known[placeOf(soughtHash)] ?? null;
  if (found?.bytes !== bytes) return null;
  return sameBytes(view, at, found.line, 0, bytes) === bytes ? found.said : null;
}

/** What the line says that was sought last, in vain. It is known from now on if it was sought so before. */
export function learnRequest(view: DataView, at: number, end: number, said: SaidRequest): void {
  const bytes = end - at;
  const place = placeOf(soughtHash);
  const isNew = missed[place] !== soughtHash;
  missed[place] = soughtHash;
  // Secrets stand in queries, if they stand in targets.
  if (isNew || bytes > REQUEST_LINE_BYTES_MAX || said.target.includes('?')) return;
  const line = new DataView(new ArrayBuffer(bytes));
  for (let byte = 0; byte < bytes; byte++) line.setUint8(byte, view.getUint8(at + byte));
  known[place] = { line, bytes, said };
}

function placeOf(hash: number): number {
  return hash & (LINES_MAX - 1);
}
