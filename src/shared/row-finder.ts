import type { Label, SeriesRows } from './series-rows.ts';

/**
 * Finds the row of a series without making its text: by what the series is about, an object of the table,
 * and a number that tells the series of that object apart. Weak, so that a replaced table's rows are
 * forgotten with it; the next table's objects find the same rows again, by their text.
 */
export class RowFinder {
  readonly rows: SeriesRows;
  readonly #bySubject = new WeakMap<object, Map<number, number>>();

  constructor(rows: SeriesRows) {
    this.rows = rows;
  }

  /** Undefined if it was not learned yet. */
  find(subject: object, code: number): number | undefined {
    return this.#bySubject.get(subject)?.get(code);
  }

  learn(subject: object, code: number, labels: readonly Label[]): number {
    const row = this.rows.row(labels);
    const known = this.#bySubject.get(subject);
    if (known === undefined) this.#bySubject.set(subject, new Map([[code, row]]));
    else known.set(code, row);
    return row;
  }
}
