import { type FieldName, fieldName, LEARNED_LENGTH_MAX, LEARNED_MAX, learnName } from '#core/field-names.ts';
import { COMMON_SPELLINGS, isSecret } from '#core/header-names.ts';
import { NamedLines } from './known-lines.ts';
import { hashOf, sameBytes } from './words.ts';

const SLOTS = 1024;

/** Names of one slot, which are tried one after the other; nearly all have one to themselves. */
const SLOT_NAMES_MAX = 4;

type Common = { readonly lines: NamedLines; readonly at: number; readonly length: number };

const slots = Array.from({ length: SLOTS }, (): Common[] => []);
/** The hash of the last name in each slot that is not common: most that come once never come again. */
const seen = new Int32Array(SLOTS);

/** All names that are common, each with a colon. */
const names = Buffer.alloc(
  COMMON_SPELLINGS.reduce((bytes, { length }) => bytes + length + 1, LEARNED_MAX * (LEARNED_LENGTH_MAX + 1)),
);
const namesView = new DataView(names.buffer, names.byteOffset, names.length);
let namesEnd = 0;

for (const spelling of COMMON_SPELLINGS) {
  const name = Buffer.from(spelling);
  add(slotOf(name, 0, name.length), fieldName(spelling), !isSecret(spelling.toLowerCase()));
}

function add(slot: number, name: FieldName, isKept: boolean): NamedLines {
  const lines = new NamedLines(name, isKept, namesView, namesEnd);
  slots[slot]?.push({ lines, at: namesEnd, length: name.length });
  namesEnd += names.write(`${name.spelling}:`, namesEnd, 'latin1');
  return lines;
}

/**
 * The header's name at these bytes, of which there is one at least, if it is common; the view is of them. Others
 * become so when they come again, as far as there is room; of their lines, which may be secret, none is kept.
 */
export function commonName(bytes: Buffer, view: DataView, from: number, to: number): NamedLines | null {
  const slot = slotOf(bytes, from, to);
  const length = to - from;
  const known = slots[slot] as readonly Common[];
  for (let nth = 0; nth < known.length; nth++) {
    const name = known[nth] as Common;
    if (name.length === length && sameBytes(view, from, namesView, name.at, length) === length)
      return name.lines;
  }
  return learned(slot, bytes, view, from, to);
}

function learned(slot: number, bytes: Buffer, view: DataView, from: number, to: number): NamedLines | null {
  const known = slots[slot] as Common[];
  if (known.length >= SLOT_NAMES_MAX) return null;
  const hash = hashOf(view, from, to);
  const isNew = seen[slot] !== hash;
  seen[slot] = hash;
  if (isNew) return null;
  const name = learnName(bytes.toString('latin1', from, to));
  return name === null ? null : add(slot, name, false);
}

function slotOf(bytes: Buffer, from: number, to: number): number {
  const length = to - from;
  const first = bytes[from] as number;
  const middle = bytes[from + (length >> 1)] as number;
  const last = bytes[to - 1] as number;
  return (length * 61 + first * 7 + middle * 353 + last * 1021) % SLOTS;
}
