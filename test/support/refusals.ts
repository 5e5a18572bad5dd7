import { REFUSALS, type Refusal, type RefusalCause } from '#core/refusals.ts';

export const CAUSES = Object.keys(REFUSALS) as RefusalCause[];

/** A refusal of any cause, with what its answer needs. */
export function sampleRefusal(cause: RefusalCause): Refusal {
  const needed: Readonly<Record<number, object>> = {
    401: { challenge: 'Bearer realm="x"' },
    405: { allow: 'POST' },
    429: { retryAfterSeconds: 7 },
  };
  return { cause, ...needed[REFUSALS[cause].status] } as Refusal;
}
