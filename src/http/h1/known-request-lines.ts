import type { Minor } from './start-lines.ts';
import { hashOf, sameBytes } from './words.ts';

/** Longer ones are read each time. */
export const REQUEST_LINE_BYTES_MAX = 256;

/** Of one thread: 160 kB at most. A power of two. */
const LINES_MAX = 256;

export type SaidRequest = { readonly minor: Minor; readonly method: string; readonly target: string };

type Known = { readonly bytes: number; readonly said: SaidRequest };

/** By place, as the bytes of the lines are in the store. */
const known: (Known | null)[] = new Array(LINES_MAX).fill(null);
const store = new DataView(new ArrayBuffer(LINES_MAX * REQUEST_LINE_BYTES_MAX));
/** The hash of what was read last for each place: most of what comes once never comes again. */
const seen = new Int32Array(LINES_MAX);

/**
 * What the request line at `view[at]` says that ends before `view[end]`, if it is known; then its target is the same
 * string each time. To read it takes 1400 instructions, to find it 200.
 */
export function knownRequest(view: DataView, at: number, end: number): SaidRequest | null {
  const bytes = end - at;
  if (bytes > REQUEST_LINE_BYTES_MAX) return null;
  const place = placeOf(hashOf(view, at, end));
  const found = known[place] ?? null;
  if (found?.bytes !== bytes) return null;
  return sameBytes(view, at, store, place * REQUEST_LINE_BYTES_MAX, bytes) === bytes ? found.said : null;
}

/** What the line at `view[at]` says, which is none that is known. It is from now on if it was read before. */
export function learnRequest(view: DataView, at: number, end: number, said: SaidRequest): void {
  const bytes = end - at;
  // Secrets stand in queries, if they stand in targets.
  if (bytes > REQUEST_LINE_BYTES_MAX || said.target.includes('?')) return;
  const hash = hashOf(view, at, end);
  const place = placeOf(hash);
  const isNew = seen[place] !== hash;
  seen[place] = hash;
  if (isNew) return;
  const storedAt = place * REQUEST_LINE_BYTES_MAX;
  for (let byte = 0; byte < bytes; byte++) store.setUint8(storedAt + byte, view.getUint8(at + byte));
  known[place] = { bytes, said };
}

function placeOf(hash: number): number {
  return hash & (LINES_MAX - 1);
}
