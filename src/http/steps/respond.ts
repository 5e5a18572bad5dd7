import type { Duplex } from 'node:stream';
import type { Answer, AnswerSink } from '#actors/request/answer.ts';
import type { Exchange } from '#actors/request/exchange.ts';
import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { applyHeaderRules, isWithoutRules } from '#core/header-rules.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { passedHeaders, responseHeaders, stampOf } from '#core/response-headers.ts';
import type { HeldBytes } from '#shared/held-bytes.ts';
import type { Drains, UnderWay } from '../drains.ts';
import { finish } from '../exchange.ts';
import { passableTrailers } from '../h1/trailers.ts';
import type { RequestRecorder } from '../request-recorder.ts';
import { joinTunnel } from '../tunnel.ts';

const FINISHED = { type: 'response.finished' } as const;
const BROKEN = { type: 'response.broken' } as const;

type Tell = Parameters<RequestSteps['respond']>[1];

/** The request machine's step `respond`: streams the answer to the client, as fast as the client reads. */
export function respondStep(
  drains: Drains,
  held: HeldBytes,
  recorder: RequestRecorder,
  clock: Clock,
): RequestSteps['respond'] {
  return ({ exchange, answer }, tell) => {
    const { upstream, tunnel } = answer;
    const headers = answerHeaders(exchange, answer, clock);
    const response =
      tunnel === null
        ? new Responding(exchange, answer, recorder, tell)
        : new Tunnelling(exchange, tunnel, held, tell);
    response.begin(headers);
    drains.join(upstream, response);
    return () => {
      drains.leave(upstream, response);
      answer.release();
    };
  };
}

/** An answer on its way to the client. */
class Responding implements AnswerSink, UnderWay {
  place = -1;
  /** The client could not take all at once. */
  #hasWaited = false;
  readonly #exchange: Exchange;
  readonly #answer: Answer;
  readonly #recorder: RequestRecorder;
  readonly #tell: Tell;

  constructor(exchange: Exchange, answer: Answer, recorder: RequestRecorder, tell: Tell) {
    this.#exchange = exchange;
    this.#answer = answer;
    this.#recorder = recorder;
    this.#tell = tell;
  }

  begin(headers: FlatHeaders): void {
    const { reply, route } = this.#exchange;
    const answer = this.#answer;
    reply.onSent(() => this.#tell(FINISHED));
    reply.head(answer.status, answer.reason, headers);
    reply.expectProgress(route.timeouts.idleMs, route.responseRateMin);
    answer.deliver(this);
  }

  data(chunk: Buffer): boolean {
    const { reply, record } = this.#exchange;
    this.#recorder.sent(record, chunk.length);
    const goesOn = reply.write(chunk);
    if (!goesOn && !this.#hasWaited) {
      this.#hasWaited = true;
      reply.onDrain(() => this.#answer.resume());
    }
    return goesOn;
  }

  end(trailers: FlatHeaders): void {
    finish(this.#exchange, answerTrailers(this.#exchange, this.#answer, trailers));
  }

  fail(): void {
    this.cut();
  }

  cut(): void {
    this.#exchange.reply.cut();
    this.#tell(BROKEN);
  }
}

/** What follows a 101: the two connections, joined. */
class Tunnelling implements UnderWay {
  place = -1;
  readonly #exchange: Exchange;
  readonly #tunnel: Duplex;
  readonly #held: HeldBytes;
  readonly #tell: Tell;

  constructor(exchange: Exchange, tunnel: Duplex, held: HeldBytes, tell: Tell) {
    this.#exchange = exchange;
    this.#tunnel = tunnel;
    this.#held = held;
    this.#tell = tell;
  }

  begin(headers: FlatHeaders): void {
    const { reply, route } = this.#exchange;
    const client = reply.switchProtocols(['Connection', 'Upgrade', ...headers]);
    if (client === null) {
      reply.cut();
      this.#tell(BROKEN);
    } else {
      const { idleMs } = route.timeouts;
      joinTunnel(client, this.#tunnel, idleMs, this.#held, () => this.#tell(FINISHED));
    }
  }

  cut(): void {
    this.#tunnel.destroy();
  }
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
