import { chartOf } from '../chart.ts';
import { requestMachine } from './machine.ts';

/** Paths of the states that a request can be in, innermost ones only; records have their numbers. */
export const REQUEST_STATES: readonly string[] = chartOf(requestMachine)
  .states.filter(({ kind }) => kind !== 'compound')
  .map(({ path }) => path);
