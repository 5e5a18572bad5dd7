import type { Answer } from '#actors/request/answer.ts';
import type { Exchange } from '#actors/request/exchange.ts';
import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { applyHeaderRules, isWithoutRules } from '#core/header-rules.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { passedHeaders, responseHeaders, stampOf } from '#core/response-headers.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';
import type { Drains } from '../drains.ts';
import { finish } from '../exchange.ts';
import { passableTrailers } from '../h1/trailers.ts';
import type { RequestRecorder } from '../request-recorder.ts';
import { joinTunnel } from '../tunnel.ts';

/** The request machine's step `respond`: streams the answer to the client, as fast as the client reads. */
export function respondStep(
  drains: Drains,
  held: HeldBytes,
  recorder: RequestRecorder,
  clock: Clock,
): RequestSteps['respond'] {
  return ({ exchange, answer }, tell) => {
    const { reply, record } = exchange;
    const headers = answerHeaders(exchange, answer, clock);
    const breakOff = () => {
      reply.cut();
      tell({ type: 'response.broken' });
    };

    const { tunnel, upstream } = answer;
    if (tunnel !== null) {
      const client = reply.switchProtocols(['Connection', 'Upgrade', ...headers]);
      if (client === null) breakOff();
      else {
        const { idleMs } = exchange.route.timeouts;
        joinTunnel(client, tunnel, idleMs, held, () => tell({ type: 'response.finished' }));
      }
      const leave = drains.join(upstream, () => tunnel.destroy());
      return () => {
        leave();
        answer.release();
      };
    }

    reply.onSent(() => tell({ type: 'response.finished' }));
    reply.onDrain(() => answer.resume());
    reply.head(answer.status, answer.reason, headers);
    reply.expectProgress(exchange.route.timeouts.idleMs, exchange.route.responseRateMin);
    answer.deliver({
      data: (chunk) => {
        recorder.sent(record, chunk.length);
        return reply.write(chunk);
      },
      end: (trailers) => finish(exchange, answerTrailers(exchange, answer, trailers)),
      fail: breakOff,
    });
    const leave = drains.join(upstream, breakOff);
    return () => {
      leave();
      answer.release();
    };
  };
}

function answerTrailers({ table, route }: Exchange, answer: Answer, trailers: FlatHeaders): FlatHeaders {
  if (trailers.length === 0) return trailers;
  return passedHeaders(answer.status, passableTrailers(trailers), table.headers, route.cors, answer.headers);
}

function answerHeaders(
  { table, route, request, id, notices }: Exchange,
  answer: Answer,
  clock: Clock,
): string[] {
  const upstreamName = answer.upstream.name;
  const stamp = stampOf(table, id, clock.monotonicMs() - request.receivedMs, upstreamName);
  const headers = responseHeaders(answer.status, answer.headers, stamp, route.cors, notices);
  if (!isWithoutRules(route.responseHeaders)) {
    const { clientAddress, host, tls } = request;
    const facts = { clientAddress, host, requestId: id, routeName: route.name, upstreamName, tls };
    applyHeaderRules(headers, route.responseHeaders, facts);
  }
  if (answer.tunnel !== null) headers.push('Upgrade', request.upgrade ?? '');
  return headers;
}
