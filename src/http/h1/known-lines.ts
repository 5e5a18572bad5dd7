import type { FieldName } from '#core/field-names.ts';
import { hashOf, sameBytes } from './words.ts';

/**
 * Lines of heads that were read before. Most lines of a head are those of the heads before it, on this connection or on
 * another one: what has the same bytes was found to be a field already, and need not be looked through again. One
 * thread has one table of them.
 */

/** From the name to the line feed. Longer ones are read each time. */
export const LINE_BYTES_MAX = 256;

/** Of all lines; and of one name, so that values which change all the time compete with few others. */
const LINES_MAX = 512;
const PLACES = 4;

const store = new DataView(new ArrayBuffer(LINES_MAX * LINE_BYTES_MAX));
let linesMade = 0;

/**
 * A line that was a field, spaced as we would, CRLF included; or the start of one, its name and colon, where the rest may
 * not be kept. What is in a line changes: nobody may rely on it from head to head.
 */
export class KnownLine {
  // Set once, for V8 to know them: see docs/decisions/046-own-constants.md.
  declare readonly of: NamedLines;
  declare readonly name: FieldName;
  declare readonly isWhole: boolean;
  /** What came after it when anything known did so last, and will most likely come again. */
  next: KnownLine | null = null;
  declare private readonly store: DataView;
  declare private readonly storedAt: number;
  #bytes = 0;

  /** Of so many bytes in a store, none of which is 0. */
  constructor(of: NamedLines, isWhole: boolean, store: DataView, storedAt: number, bytes: number) {
    this.of = of;
    this.name = of.name;
    this.isWhole = isWhole;
    this.store = store;
    this.storedAt = storedAt;
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many bytes are the same from `view[at]` on: `bytes` if all are. Looks at none from `end` on. */
  sameBytes(view: DataView, at: number, end: number): number {
    return sameBytes(view, at, this.store, this.storedAt, Math.min(this.#bytes, end - at));
  }

  /** Becomes the line of so many bytes from `view[at]` on. */
  learn(view: DataView, at: number, bytes: number): void {
    const from = this.storedAt;
    for (let byte = 0; byte < bytes; byte++) this.store.setUint8(from + byte, view.getUint8(at + byte));
    this.#bytes = bytes;
  }
}

/** A header's name, and the lines with it that are known. */
export class NamedLines {
  readonly name: FieldName;
  /** What is expected again of a line of this name if none may ever be known; else null. */
  readonly start: KnownLine | null;
  readonly #lines: (KnownLine | null)[] = new Array(PLACES).fill(null);
  /** What was seen once, for each place: most of what comes once never comes again. */
  readonly #seen: number[] = new Array(PLACES).fill(0);

  /** `isKept` says whether any line of the name may ever be known. Name and colon stand at `names[at]`. */
  constructor(name: FieldName, isKept: boolean, names: DataView, at: number) {
    this.name = name;
    this.start = isKept ? null : new KnownLine(this, false, names, at, name.length + 1);
  }

  /**
   * The line of this name that stands at `view[base + nameAt]` and ends before `view[base + end]`, and is a field as we
   * would write it, if it is known. If not, it may become so.
   */
  find(view: DataView, base: number, end: number, nameAt: number): KnownLine | null {
    const at = base + nameAt;
    const bytes = end - nameAt;
    if (this.start !== null || bytes > LINE_BYTES_MAX) return null;
    const hash = hashOf(view, at, base + end);
    const place = hash & (PLACES - 1);
    const known = this.#lines[place] ?? null;
    if (known?.bytes === bytes && known.sameBytes(view, at, base + end) === bytes) return known;
    const isNew = this.#seen[place] !== hash;
    this.#seen[place] = hash;
    const line = isNew ? null : this.#lineOf(place);
    line?.learn(view, at, bytes);
    return line;
  }

  #lineOf(place: number): KnownLine | null {
    const known = this.#lines[place] ?? null;
    if (known !== null || linesMade === LINES_MAX) return known;
    const made = new KnownLine(this, true, store, linesMade++ * LINE_BYTES_MAX, 0);
    this.#lines[place] = made;
    return made;
  }
}
