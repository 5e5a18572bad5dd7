import type { Identity, RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { forwardHeaders } from '#core/forward-headers.ts';
import { newSpanId } from '#core/ids.ts';
import type { Upstream } from '#core/table.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';
import { Attempt } from '../attempt.ts';
import { failureCause, isUnreachable } from '../attempt-failure.ts';
import type { Exchange } from '../exchange.ts';
import type { RequestMetrics } from '../request-metrics.ts';
import type { UpstreamClients } from '../upstream-clients.ts';

/** The request machine's step `forward`: one attempt at one upstream, up to the head of its answer. */
export function forwardStep(
  clients: UpstreamClients,
  cells: UpstreamCells,
  metrics: RequestMetrics,
  clock: Clock,
): RequestSteps['forward'] {
  return ({ exchange, identity, upstream, resendCount }, tell) => {
    const { slot } = upstream;
    const { method } = exchange.request;
    const begunMs = clock.monotonicMs();
    let state: 'waiting' | 'answered' | 'failed' = 'waiting';

    const attempt = new Attempt(upstream, {
      started: () => cells.admission.reportReachable(slot),
      answered: (answer) => {
        state = 'answered';
        const nowMs = clock.monotonicMs();
        cells.observeLatency(slot, nowMs - begunMs, nowMs);
        metrics.attemptAnswered(upstream, method, answer.status, (nowMs - begunMs) / 1000);
        tell({ type: 'attempt.answered', status: answer.status, answer });
      },
      failed: (error, written) => {
        state = 'failed';
        const cause = failureCause(error, written);
        const nowMs = clock.monotonicMs();
        if (isUnreachable(cause)) cells.admission.reportUnreachable(slot, nowMs);
        metrics.attemptFailed(upstream, method, cause, (nowMs - begunMs) / 1000);
        tell({ type: 'attempt.failed', failure: { upstream: upstream.name, cause, written } });
      },
      settled: () => cells.end(slot),
    });

    const client = clients.for(upstream, exchange.route.timeouts.connectMs);
    const options = dispatchOptions(exchange, upstream, identity);
    // Nothing below throws: undici reports to the attempt, which ends what begins here.
    cells.begin(slot);
    metrics.attemptBegun(upstream, resendCount > 0);
    client.dispatch(options, attempt);
    return () => {
      if (state === 'waiting') {
        const error = exchange.reply.isGone ? 'client_left' : 'upstream_timeout';
        metrics.attemptFailed(upstream, method, error, (clock.monotonicMs() - begunMs) / 1000);
      }
      if (state !== 'answered') attempt.release();
    };
  };
}

function dispatchOptions(
  { table, route, request, body, id }: Exchange,
  upstream: Upstream,
  identity: Identity | null,
) {
  const facts = { traceId: id, spanId: newSpanId(), claims: identity?.claims ?? null };
  return {
    method: request.method,
    path: request.target,
    headers: forwardHeaders(request, route, table.headers, upstream, facts),
    body: body.open(),
    headersTimeout: route.timeouts.firstByteMs,
    bodyTimeout: route.timeouts.idleMs,
    upgrade: request.upgrade,
    ...(upstream.tls === null ? {} : { servername: upstream.tls.serverName }),
  };
}
