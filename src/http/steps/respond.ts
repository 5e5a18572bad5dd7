import type { Duplex } from 'node:stream';
import type { Answer, AnswerSink } from '#actors/request/answer.ts';
import type { Exchange } from '#actors/request/exchange.ts';
import type { RequestSteps } from '#actors/request/steps.ts';
import type { Work } from '#actors/step.ts';
import type { Clock } from '#core/clock.ts';
import { Fields } from '#core/fields.ts';
import { isWithoutRules, underHeaderRules } from '#core/header-rules.ts';
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

type Machine = Parameters<RequestSteps['respond']>[1];

/** What all answers are sent with. */
type Means = {
  readonly drains: Drains;
  readonly held: HeldBytes;
  readonly recorder: RequestRecorder;
  readonly clock: Clock;
};

/** The request machine's step `respond`: streams the answer to the client, as fast as the client reads. */
export function respondStep(
  drains: Drains,
  held: HeldBytes,
  recorder: RequestRecorder,
  clock: Clock,
): RequestSteps['respond'] {
  const means = { drains, held, recorder, clock };
  return ({ exchange, answer }, machine) => {
    const { upstream, tunnel } = answer;
    const headers = answerHeaders(exchange, answer, clock);
    const response =
      tunnel === null
        ? new Responding(means, exchange, answer, machine)
        : new Tunnelling(means, exchange, answer, tunnel, machine);
    response.begin(headers);
    drains.join(upstream, response);
    return response;
  };
}

/** An answer on its way to the client. */
class Responding implements AnswerSink, UnderWay, Work {
  place = -1;
  /** The client could not take all at once. */
  #hasWaited = false;
  readonly #means: Means;
  readonly #exchange: Exchange;
  readonly #answer: Answer;
  readonly #machine: Machine;

  constructor(means: Means, exchange: Exchange, answer: Answer, machine: Machine) {
    this.#means = means;
    this.#exchange = exchange;
    this.#answer = answer;
    this.#machine = machine;
  }

  begin(headers: Fields): void {
    const { reply, route } = this.#exchange;
    const answer = this.#answer;
    reply.onSent(() => this.#machine.tell(FINISHED));
    reply.head(answer.status, answer.reason, headers);
    reply.expectProgress(route.timeouts.idleMs, route.responseRateMin);
    answer.deliver(this);
  }

  data(bytes: Buffer, from: number, to: number): boolean {
    const { reply, record } = this.#exchange;
    this.#means.recorder.sent(record, to - from);
    const goesOn = reply.write(bytes, from, to);
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
    this.#machine.tell(BROKEN);
  }

  stop(): void {
    this.#means.drains.leave(this.#answer.upstream, this);
    this.#answer.release();
  }
}

/** What follows a 101: the two connections, joined. */
class Tunnelling implements UnderWay, Work {
  place = -1;
  readonly #means: Means;
  readonly #exchange: Exchange;
  readonly #answer: Answer;
  readonly #tunnel: Duplex;
  readonly #machine: Machine;

  constructor(means: Means, exchange: Exchange, answer: Answer, tunnel: Duplex, machine: Machine) {
    this.#means = means;
    this.#exchange = exchange;
    this.#answer = answer;
    this.#tunnel = tunnel;
    this.#machine = machine;
  }

  begin(headers: Fields): void {
    const { reply, route } = this.#exchange;
    const client = reply.switchProtocols(headers);
    if (client === null) {
      reply.cut();
      this.#machine.tell(BROKEN);
    } else {
      const { idleMs } = route.timeouts;
      joinTunnel(client, this.#tunnel, idleMs, this.#means.held, () => this.#machine.tell(FINISHED));
    }
  }

  cut(): void {
    this.#tunnel.destroy();
  }

  stop(): void {
    this.#means.drains.leave(this.#answer.upstream, this);
    this.#answer.release();
  }
}

function answerTrailers({ table, route }: Exchange, answer: Answer, trailers: FlatHeaders): FlatHeaders {
  if (trailers.length === 0) return trailers;
  const passable = Fields.of(passableTrailers(trailers));
  const passed = passedHeaders(answer.status, passable, table.headers, route.cors, answer.headers);
  return passed.isSound ? passed.flat() : [];
}

function answerHeaders(
  { table, route, request, id, notices }: Exchange,
  answer: Answer,
  clock: Clock,
): Fields {
  const upstreamName = answer.upstream.name;
  const stamp = stampOf(table, id, clock.monotonicMs() - request.receivedMs, upstreamName);
  let headers = responseHeaders(answer.status, answer.headers, stamp, route.cors, notices);
  if (!isWithoutRules(route.responseHeaders)) {
    const { clientAddress, host, tls } = request;
    const facts = { clientAddress, host, requestId: id, routeName: route.name, upstreamName, tls };
    headers = underHeaderRules(headers, route.responseHeaders, facts);
  }
  if (answer.tunnel !== null) headers.addAll(['Connection', 'Upgrade', 'Upgrade', request.upgrade ?? '']);
  return headers;
}
