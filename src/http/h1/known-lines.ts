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
const WAYS = 4;

const store = Buffer.alloc(LINES_MAX * LINE_BYTES_MAX);
const storeView = new DataView(store.buffer, store.byteOffset, store.length);
let linesMade = 0;

/** A line that was a field, spaced as we would, CRLF included. What is in it changes: nobody may rely on it from head to head. */
export class KnownLine {
  readonly of: NamedLines;
  readonly name: FieldName;
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

  /** Becomes the line of so many bytes from `view[at]` on. */
  learn(view: DataView, at: number, bytes: number): void {
    const from = this.#storedAt;
    for (let byte = 0; byte < bytes; byte++) store[from + byte] = view.getUint8(at + byte);
    this.#bytes = bytes;
  }
}

/** A header's name, and the lines with it that are known. */
export class NamedLines {
  readonly name: FieldName;
  readonly #isKept: boolean;
  readonly #lines: (KnownLine | null)[] = new Array(WAYS).fill(null);
  /** What was seen once, for each way: most of what comes once never comes again. */
  readonly #seen: number[] = new Array(WAYS).fill(0);

  /** `isKept` says whether any line of the name may ever be known. */
  constructor(name: FieldName, isKept: boolean) {
    this.name = name;
    this.#isKept = isKept;
  }

  /**
   * The line of this name that stands at `view[base + nameAt]` and ends before `view[base + end]`, and is a field as we
   * would write it, if it is known. If not, it may become so.
   */
  find(view: DataView, base: number, end: number, nameAt: number): KnownLine | null {
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
    line?.learn(view, at, bytes);
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
