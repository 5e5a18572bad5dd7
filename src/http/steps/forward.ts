import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { forwardHeaders } from '#core/forward-headers.ts';
import { newSpanId } from '#core/ids.ts';
import type { Upstream } from '#core/table.ts';
import type { UpstreamCells } from '#shared/upstream-cells.ts';
import { Attempt } from '../attempt.ts';
import { failureCause, isUnreachable } from '../attempt-failure.ts';
import type { Exchange } from '../exchange.ts';
import type { UpstreamClients } from '../upstream-clients.ts';

/** The request machine's step `forward`: one attempt at one upstream, up to the head of its answer. */
export function forwardStep(
  clients: UpstreamClients,
  cells: UpstreamCells,
  clock: Clock,
): RequestSteps['forward'] {
  return ({ exchange, upstream }, tell) => {
    const { slot } = upstream;
    const begunMs = clock.monotonicMs();
    let isAnswered = false;

    const attempt = new Attempt(upstream, {
      started: () => cells.reportReachable(slot),
      answered: (answer) => {
        isAnswered = true;
        cells.observeLatency(slot, clock.monotonicMs() - begunMs, clock.monotonicMs());
        tell({ type: 'attempt.answered', status: answer.status, answer });
      },
      failed: (error, written) => {
        const cause = failureCause(error, written);
        if (isUnreachable(cause)) cells.reportUnreachable(slot, clock.monotonicMs());
        tell({ type: 'attempt.failed', failure: { upstream: upstream.name, cause, written } });
      },
      settled: () => cells.end(slot),
    });

    const client = clients.for(upstream, exchange.route.timeouts.connectMs);
    const options = dispatchOptions(exchange, upstream);
    // Nothing below throws: undici reports to the attempt, which ends what begins here.
    cells.begin(slot);
    client.dispatch(options, attempt);
    return () => {
      if (!isAnswered) attempt.release();
    };
  };
}

function dispatchOptions({ table, route, request, body, id }: Exchange, upstream: Upstream) {
  return {
    method: request.method,
    path: request.target,
    headers: forwardHeaders(request, route, table.headers, upstream, { traceId: id, spanId: newSpanId() }),
    body: body.open(),
    headersTimeout: route.timeouts.firstByteMs,
    bodyTimeout: route.timeouts.idleMs,
    upgrade: request.upgrade,
    ...(upstream.tls === null ? {} : { servername: upstream.tls.serverName }),
  };
}
