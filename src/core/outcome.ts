/** What an attempt says of its upstream. A gateway failure is 502, 503, 504, or no answer at all. */
export type Outcome = 'ok' | 'server_error' | 'gateway_failure';

/** Which row of failures an upstream has reached the limit of. The first one includes the second. */
export type FailureKind = '5xx' | 'gateway_failure';

export function outcomeOf(status: number): Outcome {
  if (status < 500) return 'ok';
  return status === 502 || status === 503 || status === 504 ? 'gateway_failure' : 'server_error';
}
