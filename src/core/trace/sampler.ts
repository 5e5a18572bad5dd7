/** Which traces are recorded, of those that begin here and those that come from others. */
export type Sampler = {
  /** Share of traces that are recorded, 0 to 1. */
  readonly ratio: number;
  /** Whether the decision of whoever sent the request holds, where there is one. */
  readonly followsParent: boolean;
};

/** The digits that W3C Trace Context, level 2, says are random, as many as a double takes exactly. */
const RANDOM_DIGITS = 13;
const RANDOM_RANGE = 16 ** RANDOM_DIGITS;

/**
 * The same for every request of a trace, here and in every instance with the same ratio: a trace is recorded
 * when its id is among the highest, as OpenTelemetry's consistent sampling has it.
 */
export function isSampled(
  { ratio, followsParent }: Sampler,
  traceId: string,
  parent: boolean | null,
): boolean {
  if (followsParent && parent !== null) return parent;
  if (ratio >= 1) return true;
  if (ratio <= 0) return false;
  return Number.parseInt(traceId.slice(-RANDOM_DIGITS), 16) >= (1 - ratio) * RANDOM_RANGE;
}
