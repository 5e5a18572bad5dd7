/** The value of an attribute, in the order in which the instrument names them. */
export type Label = string | number;

/** Series of one instrument in one worker; the same as OpenTelemetry's default limit. */
export const SERIES_MAX = 2000;

/** Labels of one series as JSON, in UTF-8; longer ones are counted as overflow. */
export const LABEL_BYTES_MAX = 510;

/** Where the length of a row's labels stands before them. */
const LENGTH_BYTES = 2;
const ROW_LABEL_BYTES = LENGTH_BYTES + LABEL_BYTES_MAX;
/** The number of rows, padded so that the doubles after it are aligned. */
const HEADER_BYTES = 8;

/** Stands for all series that had no room. Its labels stay empty. */
const OVERFLOW_ROW = 0;

/**
 * The series of one instrument as one worker counts them, in shared memory: the worker writes, the control
 * plane reads. A series is a row: its labels and its numbers. A counter has one number; a histogram a
 * count for every bucket, the last one without a bound, and the sum of what it was given.
 */
export class SeriesRows {
  readonly #bounds: readonly number[];
  readonly #width: number;
  /** One word: rows in use, the overflow row not counted. */
  readonly #used: Int32Array<SharedArrayBuffer>;
  readonly #numbers: Float64Array<SharedArrayBuffer>;
  readonly #labels: Buffer<SharedArrayBuffer>;
  /** Row by its labels' text; made from the rows, so that a replaced worker goes on with them. */
  #index: Map<string, number> | null = null;

  static bytes(bounds: readonly number[]): number {
    return HEADER_BYTES + SERIES_MAX * (widthOf(bounds) * Float64Array.BYTES_PER_ELEMENT + ROW_LABEL_BYTES);
  }

  /** The rows that begin at `offset`, a multiple of 8, of `memory`; `bounds` are empty for a counter. */
  constructor(memory: SharedArrayBuffer, offset: number, bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#width = widthOf(bounds);
    this.#used = new Int32Array(memory, offset, 1);
    this.#numbers = new Float64Array(memory, offset + HEADER_BYTES, SERIES_MAX * this.#width);
    const labelsAt = this.#numbers.byteOffset + this.#numbers.byteLength;
    this.#labels = Buffer.from(memory, labelsAt, SERIES_MAX * ROW_LABEL_BYTES);
  }

  /** The row of a series, from now on if it has none; the overflow row when there is no room for it. */
  row(labels: readonly Label[]): number {
    this.#index ??= this.#readIndex();
    const text = JSON.stringify(labels);
    const known = this.#index.get(text);
    if (known !== undefined) return known;

    const row = this.#index.size + 1;
    const bytes = Buffer.byteLength(text);
    if (row >= SERIES_MAX || bytes > LABEL_BYTES_MAX) return OVERFLOW_ROW;
    const at = row * ROW_LABEL_BYTES;
    this.#labels.write(text, at + LENGTH_BYTES);
    this.#labels.writeUInt16LE(bytes, at);
    // Only now is the row there for a reader, who finds it whole; a death before this leaves no trace.
    Atomics.store(this.#used, 0, row);
    this.#index.set(text, row);
    return row;
  }

  add(row: number, amount: number): void {
    this.#addAt(row * this.#width, amount);
  }

  set(row: number, value: number): void {
    this.#numbers[row * this.#width] = value;
  }

  observe(row: number, value: number): void {
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
    const at = row * this.#width;
    this.#addAt(at + bucket, 1);
    this.#addAt(at + this.#width - 1, value);
  }

  /** Sets the numbers of all rows to 0. Not while the worker runs. */
  clear(): void {
    this.#numbers.fill(0);
  }

  /** Adds the numbers of every series to what `sums` has under the series' labels, as JSON; '' is overflow. */
  addTo(sums: Map<string, Float64Array>): void {
    const used = Atomics.load(this.#used, 0);
    for (let row = OVERFLOW_ROW; row <= used; row++) {
      const numbers = this.#numbers.subarray(row * this.#width, (row + 1) * this.#width);
      if (row === OVERFLOW_ROW && numbers.every((number) => number === 0)) continue;
      const text = this.#labelsOf(row);
      const sum = sums.get(text) ?? new Float64Array(this.#width);
      for (const [index, number] of numbers.entries()) sum[index] = (sum[index] ?? 0) + number;
      sums.set(text, sum);
    }
  }

  #addAt(index: number, amount: number): void {
    this.#numbers[index] = (this.#numbers[index] as number) + amount;
  }

  #labelsOf(row: number): string {
    const at = row * ROW_LABEL_BYTES;
    const bytes = this.#labels.readUInt16LE(at);
    return this.#labels.toString('utf8', at + LENGTH_BYTES, at + LENGTH_BYTES + bytes);
  }

  #readIndex(): Map<string, number> {
    const index = new Map<string, number>();
    for (let row = 1; row <= Atomics.load(this.#used, 0); row++) index.set(this.#labelsOf(row), row);
    return index;
  }
}

function widthOf(bounds: readonly number[]): number {
  return bounds.length === 0 ? 1 : bounds.length + 2;
}
