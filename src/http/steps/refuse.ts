import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { stampOf } from '#core/response-headers.ts';
import { finish } from '../exchange.ts';
import { sendRefusal } from '../refuse.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import type { RequestRecorder } from '../request-recorder.ts';

const FINISHED = { type: 'response.finished' } as const;

/** The request machine's step `refuse`: Signalbox's own answer. */
export function refuseStep(
  metrics: RequestMetrics,
  recorder: RequestRecorder,
  clock: Clock,
): RequestSteps['refuse'] {
  return ({ exchange, refusal }, machine) => {
    const { reply, request, table, notices, id, record } = exchange;
    const stamp = stampOf(table, id, clock.monotonicMs() - request.receivedMs);
    metrics.refused(refusal.cause);
    recorder.refused(record, refusal.cause);
    reply.onSent(() => machine.tell(FINISHED));
    sendRefusal(reply, refusal, stamp, notices, request);
    finish(exchange);
    return undefined;
  };
}
