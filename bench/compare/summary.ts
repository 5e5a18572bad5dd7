/** From the figures of all rounds to one line a target. */
import type { Figures } from './scenarios.ts';

/** What a result has that is needed here. */
export type Measured = { readonly figures: Record<string, Record<string, Figures[]>> };

/** All others are compared with it, round by round. */
const REFERENCE = 'nginx';

export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** Of the figure `key`, over the rounds. */
export function median(rounds: readonly Figures[], key: string): number {
  return medianOf(rounds.map((figures) => figures[key] ?? Number.NaN));
}

/** CPU time a request, as a multiple of the reference's in the same round: the median over rounds. */
export function ratio({ figures }: Measured, scenario: string, target: string): number {
  const reference = figures[scenario]?.[REFERENCE] ?? [];
  const rounds = figures[scenario]?.[target] ?? [];
  return medianOf(
    rounds.map(
      (round, index) => (round['cpu_us'] ?? Number.NaN) / (reference[index]?.['cpu_us'] ?? Number.NaN),
    ),
  );
}

export function printTable(measured: Measured): void {
  for (const [scenario, targets] of Object.entries(measured.figures)) {
    console.log(`\n== ${scenario}`);
    const rows = Object.entries(targets).map(([name, rounds]) => {
      const keys = Object.keys(rounds[0] ?? {});
      const row = Object.fromEntries(keys.map((key) => [key, Number(median(rounds, key).toPrecision(4))]));
      return [name, { ...row, ratio: Number(ratio(measured, scenario, name).toPrecision(3)) }];
    });
    console.table(Object.fromEntries(rows));
  }
}
