import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Answer, AnswerSink } from '#actors/request/answer.ts';
import type { TurnWatch } from '#actors/request/exchange.ts';
import { Fields } from '#core/fields.ts';
import { Attempt, type AttemptTimeouts } from '#http/attempt.ts';
import { failureCause } from '#http/attempt-failure.ts';
import { kept } from '#http/read-buffers.ts';
import type { Transport, TransportRequest } from '#http/transport.ts';
import { TRANSPORTS, type TransportName, transportTo } from '#test/http/transport/subject.ts';
import { until } from '#test/support/process.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

export const HEAD = 'HTTP/1.1 200 OK\r\n';
export const SWITCH = 'HTTP/1.1 101 Sure\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

/** By the virtual clock. */
export const TIMEOUTS: AttemptTimeouts = { firstByteMs: 200, idleMs: 100 };

type Scene = {
  /** What the upstream does with each connection. */
  readonly upstream: (socket: Socket) => void;
  readonly options?: Partial<TransportRequest>;
  readonly body?: (watch: TurnWatch) => Readable | null;
  /** Whether an answer is delivered at once; otherwise the test does it. */
  readonly isDelivered?: boolean;
  /** What the sink says to each piece; it takes all of them unless told otherwise. */
  readonly takes?: () => boolean;
};

type Told = {
  readonly attempt: Attempt;
  readonly pool: Transport;
  readonly clock: VirtualClock;
  /** What the observer and the sink were told, in order. */
  readonly events: readonly string[];
  /** Informational answers and trailers. */
  readonly asides: readonly unknown[];
  readonly data: () => string;
  readonly answer: () => Answer;
  readonly deliver: () => void;
  /** Resolves when the attempt is over for whoever watches it. */
  readonly over: () => Promise<void>;
};

export type AttemptAt = (t: TestContext, scene: Scene) => Promise<Told>;

/** What is tested with every transport. */
export const THROUGH = TRANSPORTS.map((name) => ({
  name,
  attemptAt: ((t, scene) => attemptAt(t, name, scene)) as AttemptAt,
}));

/** One attempt at a raw upstream, as the worker makes it. */
async function attemptAt(t: TestContext, transport: TransportName, scene: Scene): Promise<Told> {
  const { upstream, options, body, isDelivered = true, takes = () => true } = scene;
  const { port } = await startRawUpstream(t, upstream);
  const pool = transportTo(t, transport, { port });
  const events: string[] = [];
  const asides: unknown[] = [];
  const chunks: Buffer[] = [];
  const sink: AnswerSink = {
    data: (bytes, from, to) => chunks.push(kept(bytes.subarray(from, to))) > 0 && takes(),
    end: (trailers) => {
      if (trailers.length > 0) asides.push(trailers);
      events.push('end');
    },
    fail: () => events.push('fail'),
  };
  const clock = new VirtualClock();
  const attempt = new Attempt(sampleUpstream(), TIMEOUTS, clock, {
    started: () => events.push('started'),
    informed: (status, headers) => asides.push([status, ...headers.flat()]),
    answered: (answer) => {
      events.push(`answered ${answer.status}`);
      if (isDelivered && answer.tunnel === null) answer.deliver(sink);
    },
    failed: (error, written) => events.push(`failed ${failureCause(error, written)}`),
    settled: () => events.push('settled'),
  });
  pool.dispatch(
    {
      method: 'GET',
      path: '/',
      headers: Fields.of(['Host', 'x']),
      body: body?.(attempt) ?? null,
      ...options,
    },
    attempt,
  );
  return {
    attempt,
    pool,
    clock,
    events,
    asides,
    data: () => `${Buffer.concat(chunks)}`,
    answer: () => attempt,
    deliver: () => attempt.deliver(sink),
    over: () => until('the attempt is over', () => events.includes('settled')),
  };
}

/** An upstream that does something once the request has come. */
export function onRequest(act: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => socket.once('data', () => act(socket));
}

export const saying = (text: string) => onRequest((socket) => void socket.write(text, 'latin1'));
export const sayingAndClosing = (text: string) => onRequest((socket) => void socket.end(text, 'latin1'));

/** Writes, and resets the connection once that has arrived. */
export function sayingAndResetting(text: string): (socket: Socket) => void {
  return onRequest((socket) => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20)));
}
