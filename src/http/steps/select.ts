import { costNothing, type RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import type { RetryBudget } from '#shared/retry-budget.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import type { Selector } from '../selector.ts';

/** The request machine's step `select`: an admitted upstream, if possible one not tried yet. */
export function selectStep(
  selector: Selector,
  budget: RetryBudget,
  metrics: RequestMetrics,
  clock: Clock,
): RequestSteps['select'] {
  return ({ exchange, identity, tried, last }, tell) => {
    const upstream = selector.pick(exchange, identity, tried);
    if (tried.length === 0) budget.countRequest(clock.monotonicMs());
    if (upstream === undefined) {
      tell({ type: 'upstreams.exhausted' });
      return undefined;
    }
    if (tried.length > 0 && !costNothing(last)) budget.countRetry(clock.monotonicMs());
    if (last.kind === 'failed') metrics.retried(upstream, last.failure.cause);
    if (last.kind === 'answered') {
      metrics.retried(upstream, last.answer.status);
      last.answer.release();
    }
    tell({ type: 'upstream.selected', upstream });
    return undefined;
  };
}
