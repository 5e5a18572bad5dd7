import { costNothing, type Exhausted, type RequestSteps, type SelectInput } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import type { Pool, Upstream } from '#core/table.ts';
import type { RetryBudget } from '#shared/retry-budget.ts';
import { poolOf } from '../exchange.ts';
import type { Claims } from '../in-flight/claims.ts';
import type { BoundedPool, Queues } from '../in-flight/queues.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import type { Selector } from '../selector.ts';

const EXHAUSTED: Exhausted = { type: 'upstreams.exhausted' };

type Tell = Parameters<RequestSteps['select']>[1];

/**
 * The request machine's step `select`: an admitted upstream, if possible one not tried yet. Where all of them have as
 * much in flight as they may, the request waits for its turn; unless it has an answer already, which is as good.
 */
export function selectStep(
  selector: Selector,
  claims: Claims,
  queues: Queues,
  budget: RetryBudget,
  metrics: RequestMetrics,
  clock: Clock,
): RequestSteps['select'] {
  const goTo = (upstream: Upstream | undefined, { tried, last }: SelectInput, tell: Tell) => {
    if (upstream === undefined) {
      tell(EXHAUSTED);
      return;
    }
    if (tried.length > 0 && !costNothing(last)) budget.countRetry(clock.monotonicMs());
    if (last.kind === 'failed') metrics.retried(upstream, last.failure.cause);
    if (last.kind === 'answered') {
      metrics.retried(upstream, last.answer.status);
      last.answer.release();
    }
    tell({ type: 'upstream.selected', upstream });
  };

  const selectBounded = (pool: BoundedPool, input: SelectInput, tell: Tell) => {
    const { exchange, identity, tried, last } = input;
    const settle = () => claims.settle(exchange);
    const picked = queues.hasWaiting(pool) ? 'full' : selector.pick(exchange, identity, tried);
    if (picked !== 'full') {
      goTo(picked, input, tell);
      return settle;
    }
    const giveUp = (cause: 'queue_full' | 'queue_timeout') =>
      tell(last.kind === 'none' ? { type: 'request.refused', refusal: { cause } } : EXHAUSTED);
    const next = () => {
      const upstream = selector.pick(exchange, identity, tried);
      return upstream === 'full' ? null : () => goTo(upstream, input, tell);
    };
    const timedOut = () => giveUp('queue_timeout');
    // An answer that waits is in flight itself, and two upstreams could wait for each other.
    const leave =
      last.kind === 'answered' ? null : queues.join({ pool, isFirstTry: tried.length === 0, next, timedOut });
    if (leave === null) giveUp('queue_full');
    return () => {
      leave?.();
      settle();
    };
  };

  return (input, tell) => {
    const { exchange, identity, tried } = input;
    const pool = poolOf(exchange);
    if (tried.length === 0) budget.countRequest(clock.monotonicMs());
    if (isBounded(pool)) return selectBounded(pool, input, tell);
    const picked = selector.pick(exchange, identity, tried);
    if (picked !== 'full') goTo(picked, input, tell);
    return undefined;
  };
}

function isBounded(pool: Pool): pool is BoundedPool {
  return pool.inFlight !== null;
}
