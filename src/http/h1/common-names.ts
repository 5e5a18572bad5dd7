import { fieldName, learnName } from '#core/field-names.ts';
import { COMMON_SPELLINGS, isSecret } from '#core/header-names.ts';
import { NamedLines } from './known-lines.ts';
import { hashOf, viewOf } from './words.ts';

const SLOTS = 1024;

/** Names of one slot, which are tried one after the other; nearly all have one to themselves. */
const SLOT_NAMES_MAX = 4;

type Common = { readonly lines: NamedLines; readonly bytes: Buffer };

const slots = Array.from({ length: SLOTS }, (): Common[] => []);
/** The hash of the last name in each slot that is not common: most that come once never come again. */
const seen = new Int32Array(SLOTS);

for (const name of COMMON_SPELLINGS) {
  const bytes = Buffer.from(name, 'latin1');
  const lines = new NamedLines(fieldName(name), !isSecret(name.toLowerCase()));
  slots[slotOf(bytes, 0, bytes.length)]?.push({ lines, bytes });
}

/**
 * The header's name at these bytes, of which there is one at least, if it is common. Others
 * become so when they come again, as far as there is room; of their lines, which may be secret, none is kept.
 */
export function commonName(bytes: Buffer, from: number, to: number): NamedLines | null {
  const slot = slotOf(bytes, from, to);
  for (const { lines, bytes: name } of slots[slot] as readonly Common[]) {
    if (isAt(name, bytes, from, to)) return lines;
  }
  return learned(slot, bytes, from, to);
}

function learned(slot: number, bytes: Buffer, from: number, to: number): NamedLines | null {
  const names = slots[slot] as Common[];
  if (names.length >= SLOT_NAMES_MAX) return null;
  const hash = hashOf(viewOf(bytes), from, to);
  const isNew = seen[slot] !== hash;
  seen[slot] = hash;
  if (isNew) return null;
  const name = bytes.toString('latin1', from, to);
  const learned = learnName(name);
  if (learned === null) return null;
  const lines = new NamedLines(learned, false);
  names.push({ lines, bytes: Buffer.from(name, 'latin1') });
  return lines;
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
