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

type Machine = Parameters<RequestSteps['select']>[1];

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
  const goTo = (upstream: Upstream | undefined, { tried, last }: SelectInput, machine: Machine) => {
    if (upstream === undefined) {
      machine.tell(EXHAUSTED);
      return;
    }
    if (tried.length > 0 && !costNothing(last)) budget.countRetry(clock.monotonicMs());
    if (last.kind === 'failed') metrics.retried(upstream, last.failure.cause);
    if (last.kind === 'answered') {
      metrics.retried(upstream, last.answer.status);
      last.answer.release();
    }
    machine.tell({ type: 'upstream.selected', upstream });
  };

  const selectBounded = (pool: BoundedPool, input: SelectInput, machine: Machine) => {
    const { exchange, identity, tried, last } = input;
    const picked = queues.hasWaiting(pool) ? 'full' : selector.pick(exchange, identity, tried);
    if (picked !== 'full') {
      goTo(picked, input, machine);
      return { stop: () => claims.settle(exchange) };
    }
    const giveUp = (cause: 'queue_full' | 'queue_timeout') =>
      machine.tell(last.kind === 'none' ? { type: 'request.refused', refusal: { cause } } : EXHAUSTED);
    const next = () => {
      const upstream = selector.pick(exchange, identity, tried);
      return upstream === 'full' ? null : () => goTo(upstream, input, machine);
    };
    const timedOut = () => giveUp('queue_timeout');
    // An answer that waits is in flight itself, and two upstreams could wait for each other.
    const leave =
      last.kind === 'answered' ? null : queues.join({ pool, isFirstTry: tried.length === 0, next, timedOut });
    if (leave === null) giveUp('queue_full');
    return {
      stop() {
        leave?.();
        claims.settle(exchange);
      },
    };
  };

  return (input, machine) => {
    const { exchange, identity, tried } = input;
    const pool = poolOf(exchange);
    if (tried.length === 0) budget.countRequest(clock.monotonicMs());
    if (isBounded(pool)) return selectBounded(pool, input, machine);
    const picked = selector.pick(exchange, identity, tried);
    if (picked !== 'full') goTo(picked, input, machine);
    return undefined;
  };
}

function isBounded(pool: Pool): pool is BoundedPool {
  return pool.inFlight !== null;
}
