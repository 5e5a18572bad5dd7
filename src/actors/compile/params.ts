import type { Args } from './args.ts';

export type Params = (args: Args) => unknown;

/** The params of a guard or action as the chart names it; null where it has none. */
export function paramsOf(named: unknown): Params | null {
  if (typeof named !== 'object' || named === null || !('params' in named)) return null;
  const { params } = named;
  return typeof params === 'function' ? (params as Params) : () => params;
}
