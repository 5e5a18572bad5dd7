import { COMMON_SPELLINGS, isSecret } from '#core/header-names.ts';
import { NamedLines } from './known-lines.ts';

const SLOTS = 1024;

type Common = { readonly lines: NamedLines; readonly bytes: Buffer };

/** Those of one slot are tried one after the other; nearly all have one to themselves. */
const slots = Array.from({ length: SLOTS }, (): Common[] => []);
for (const name of COMMON_SPELLINGS) {
  const bytes = Buffer.from(name, 'latin1');
  const lines = new NamedLines(name, isSecret(name));
  slots[slotOf(bytes, 0, bytes.length)]?.push({ lines, bytes });
}

/** The header's name at these bytes, of which there is one at least, if it is common: the one string of it. */
export function commonName(bytes: Buffer, from: number, to: number): NamedLines | null {
  for (const { lines, bytes: name } of slots[slotOf(bytes, from, to)] as readonly Common[]) {
    if (isAt(name, bytes, from, to)) return lines;
  }
  return null;
}

function slotOf(bytes: Buffer, from: number, to: number): number {
  const length = to - from;
  const first = bytes[from] as number;
  const middle = bytes[from + (length >> 1)] as number;
  const last = bytes[to - 1] as number;
  return (length * 61 + first * 7 + middle * 353 + last * 1021) % SLOTS;
}

function isAt(wanted: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (wanted.length !== to - from) return false;
  for (let at = 0; at < wanted.length; at++) if (wanted[at] !== bytes[from + at]) return false;
  return true;
}
