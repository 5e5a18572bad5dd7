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
  return isAmongHighest(traceId, leastOf(ratio));
}

/** Whether the last digits of the id are no less than these. Nearly always the first of them tell. */
function isAmongHighest(traceId: string, least: string): boolean {
  const start = traceId.length - least.length;
  for (let nth = 0; nth < least.length; nth++) {
    const above = traceId.charCodeAt(start + nth) - least.charCodeAt(nth);
    if (above !== 0) return above > 0;
  }
  return true;
}

let latestRatio = Number.NaN;
let latestLeast = '';

/** The least random digits that are recorded; made once, as there is one ratio. */
function leastOf(ratio: number): string {
  if (ratio !== latestRatio) {
    const least = Math.min(Math.ceil((1 - ratio) * RANDOM_RANGE), RANDOM_RANGE - 1);
    latestRatio = ratio;
    latestLeast = least.toString(16).padStart(RANDOM_DIGITS, '0');
  }
  return latestLeast;
}
