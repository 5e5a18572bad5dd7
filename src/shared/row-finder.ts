import { WeakLookup } from '#core/weak-lookup.ts';
import type { Label, SeriesRows } from './series-rows.ts';

/** Subjects that are found soonest. */
const PLACES = 64;

/** The series of one subject, by their numbers; that which was asked for last is at hand. */
type Series = { latestCode: number; latestRow: number; readonly rows: Map<number, number> };

/**
 * Finds the row of a series without making its text: by what the series is about, an object of the table,
 * and a number that tells the series of that object apart. Weak, so that a replaced table's rows are
 * forgotten with it; the next table's objects find the same rows again, by their text.
 */
export class RowFinder {
  readonly rows: SeriesRows;
  readonly #bySubject = new WeakLookup<object, Series>(PLACES);

  constructor(rows: SeriesRows) {
    this.rows = rows;
  }

  /** Undefined if it was not learned yet. `place` is a number of the subject's own, if it has one. */
  find(subject: object, code: number, place = 0): number | undefined {
    const series = this.#bySubject.get(subject, place);
    if (series === undefined) return undefined;
    if (series.latestCode === code) return series.latestRow;
    const row = series.rows.get(code);
    if (row === undefined) return undefined;
    series.latestCode = code;
    series.latestRow = row;
    return row;
  }

  learn(subject: object, code: number, labels: readonly Label[]): number {
    const row = this.rows.row(labels);
    const series = this.#bySubject.get(subject);
    if (series === undefined)
      this.#bySubject.add(subject, { latestCode: code, latestRow: row, rows: new Map([[code, row]]) });
    else series.rows.set(code, row);
    return row;
  }
}
