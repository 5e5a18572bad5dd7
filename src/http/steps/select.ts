import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import type { RetryBudget } from '#shared/retry-budget.ts';
import type { Selector } from '../selector.ts';

/** The request machine's step `select`: an admitted upstream, if possible one not tried yet. */
export function selectStep(selector: Selector, budget: RetryBudget, clock: Clock): RequestSteps['select'] {
  return ({ exchange, identity, tried, superseded }, tell) => {
    superseded?.release();
    if (tried.length === 0) budget.countRequest(clock.monotonicMs());
    else budget.countRetry(clock.monotonicMs());
    const upstream = selector.pick(exchange, identity, tried);
    tell(upstream === undefined ? { type: 'upstreams.exhausted' } : { type: 'upstream.selected', upstream });
    return undefined;
  };
}
