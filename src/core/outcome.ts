/** What an attempt says of its upstream. A gateway failure is 502, 503, 504, or no answer at all. */
export type Outcome = 'ok' | 'server_error' | 'gateway_failure';

/**
 * What the control plane is told of: a row of failures that has reached its limit, of which the first includes
 * the second; or that there was no connecting to the upstream, which is avoided from now on.
 */
export type FailureKind = '5xx' | 'gateway_failure' | 'unreachable';

export function outcomeOf(status: number): Outcome {
  if (status < 500) return 'ok';
  return status === 502 || status === 503 || status === 504 ? 'gateway_failure' : 'server_error';
}
