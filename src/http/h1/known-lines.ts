import { hashOf, sameBytes } from './words.ts';

/**
 * Lines of heads that were read before, with the strings that were made of them. Most lines of a head are those of
 * the heads before it, on this connection or on another one: what has the same bytes was found to be a field
 * already, and needs neither to be looked through nor to become strings again. One thread has one table of them.
 */

/** From the name to the line feed. Longer ones are read each time. */
export const LINE_BYTES_MAX = 256;

/** Of all lines; and of one name, so that values which change all the time compete with few others. */
const LINES_MAX = 512;
const WAYS = 4;

const store = Buffer.alloc(LINES_MAX * LINE_BYTES_MAX);
const storeView = new DataView(store.buffer, store.byteOffset, store.length);
let linesMade = 0;

/** Where the parts of a line stand. */
export interface LinePlace {
  readonly nameAt: number;
  readonly valueAt: number;
  readonly valueEnd: number;
}

/** A line that was a field, CRLF included. What is in it changes: nobody may rely on it from head to head. */
export class KnownLine {
  readonly of: NamedLines;
  readonly name: string;
  value = '';
  /** What came after it when anything known did so last, and will most likely come again. */
  next: KnownLine | null = null;
  readonly #storedAt: number;
  #bytes = 0;

  constructor(of: NamedLines, place: number) {
    this.of = of;
    this.name = of.name;
    this.#storedAt = place * LINE_BYTES_MAX;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How many bytes are the same from `view[at]` on: `bytes` if all are. Looks at none from `end` on. */
  sameBytes(view: DataView, at: number, end: number): number {
    return sameBytes(view, at, storeView, this.#storedAt, Math.min(this.#bytes, end - at));
  }

  /** Becomes the line of so many bytes from `view[at]` on, whose value stands where it is said. */
  learn(view: DataView, at: number, bytes: number, valueAt: number, valueEnd: number): void {
    const from = this.#storedAt;
    for (let byte = 0; byte < bytes; byte++) store[from + byte] = view.getUint8(at + byte);
    this.#bytes = bytes;
    // A string of its own: a part of a longer one would keep that.
    this.value = store.toString('latin1', from + valueAt, from + valueEnd);
  }
}

/** A header's name, and the lines with it that are known. */
export class NamedLines {
  readonly name: string;
  readonly #isKept: boolean;
  readonly #lines: (KnownLine | null)[] = new Array(WAYS).fill(null);
  /** What was seen once, for each way: most of what comes once never comes again. */
  readonly #seen: number[] = new Array(WAYS).fill(0);

  /** `isKept` says whether any line of the name may ever be known. */
  constructor(name: string, isKept: boolean) {
    this.name = name;
    this.#isKept = isKept;
  }

  /**
   * The line of this name that stands at `place` and ends before `end`, and is a field, if it is known. If not, it may
   * become so. Where it stands is counted from `view[base]`.
   */
  find(view: DataView, base: number, end: number, place: LinePlace): KnownLine | null {
    const { nameAt, valueAt, valueEnd } = place;
    const at = base + nameAt;
    const bytes = end - nameAt;
    if (!this.#isKept || bytes > LINE_BYTES_MAX) return null;
    const hash = hashOf(view, at, base + end);
    const way = hash & (WAYS - 1);
    const known = this.#lines[way] ?? null;
    if (known?.bytes === bytes && known.sameBytes(view, at, base + end) === bytes) return known;
    const isNew = this.#seen[way] !== hash;
    this.#seen[way] = hash;
    const line = isNew ? null : this.#lineOf(way);
    line?.learn(view, at, bytes, valueAt - nameAt, valueEnd - nameAt);
    return line;
  }

  #lineOf(way: number): KnownLine | null {
    const known = this.#lines[way] ?? null;
    if (known !== null || linesMade === LINES_MAX) return known;
    const made = new KnownLine(this, linesMade++);
    this.#lines[way] = made;
    return made;
  }
}
