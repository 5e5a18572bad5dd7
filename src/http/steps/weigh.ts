import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import type { RetryBudget } from '#shared/retry-budget.ts';
import type { Selector } from '../selector.ts';

/** The request machine's step `weigh`: the facts that decide whether a request may fail over. */
export function weighStep(selector: Selector, budget: RetryBudget, clock: Clock): RequestSteps['weigh'] {
  return ({ exchange, tried }, machine) => {
    const facts = {
      replayable: exchange.body.isReplayable,
      affordable: budget.hasRoom(clock.monotonicMs()),
      another: selector.hasUntried(exchange, tried),
    };
    machine.tell({ type: 'failover.weighed', facts });
    return undefined;
  };
}
