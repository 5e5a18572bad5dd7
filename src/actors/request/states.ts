import { chartOf } from '../chart.ts';
import { requestMachine } from './machine.ts';

/** Paths of the states that a request can be in, innermost ones only, by their numbers, which records have. */
export const REQUEST_STATES: readonly string[] = chartOf(requestMachine)
  .states.filter(({ kind }) => kind !== 'compound')
  .map(({ path }) => path);

const NUMBERS = new Map(REQUEST_STATES.map((path, number) => [path, number]));

/** Throws for a state that the machine does not have. */
export function stateNumber(path: string): number {
  const number = NUMBERS.get(path);
  if (number === undefined) throw new Error(`A request is never ${path}`);
  return number;
}
