import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { chooseQuota } from '#core/limits/client-key.ts';
import { ClientKeys } from '#core/limits/client-keys.ts';
import { addLimitHeaders, retryAfterSeconds } from '#core/limits/headers.ts';
import type { LimitTable } from '#shared/limit-table.ts';
import { requestFacts } from '../request-facts.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import type { RequestRecorder } from '../request-recorder.ts';

const PASSED = { type: 'limit.passed' } as const;

/** The request machine's step `limit`: counts the request, and tells the client what is left. */
export function limitStep(
  table: LimitTable,
  metrics: RequestMetrics,
  recorder: RequestRecorder,
  ipv6PrefixBits: number,
  clock: Clock,
): RequestSteps['limit'] {
  const clients = new ClientKeys();
  return ({ exchange, identity }, machine) => {
    const { limit } = exchange.route;
    if (limit === null) {
      machine.tell(PASSED);
      return undefined;
    }
    const facts = requestFacts(exchange, identity, ipv6PrefixBits);
    const quota = chooseQuota(limit, facts);
    const decision = table.takeOf(clients.of(limit, facts), quota, clock.monotonicMs(), limit.isShared);
    metrics.limited(limit, decision.allowed);
    recorder.limited(exchange, decision);
    addLimitHeaders(exchange.notices, limit.name, quota, decision);
    machine.tell(
      decision.allowed
        ? PASSED
        : {
            type: 'request.refused',
            refusal: { cause: 'rate_limited', retryAfterSeconds: retryAfterSeconds(decision) },
          },
    );
    return undefined;
  };
}
