/** What the contract of transports is tested with: each transport as a worker uses it, at an upstream of raw bytes. */

import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import { type Clock, systemClock } from '#core/clock.ts';
import { Fields } from '#core/fields.ts';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import type { Upstream } from '#core/table.ts';
import { failureCause } from '#http/attempt-failure.ts';
import type { Transport, TransportController, TransportHandler, TransportRequest } from '#http/transport.ts';
import { UpstreamClients } from '#http/upstream-clients.ts';
import { until } from '#test/support/process.ts';
import { sampleUpstreamConnections } from '#test/support/sample-settings.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream } from '#test/support/upstream.ts';

export const TRANSPORTS = ['undici', 'h1'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

export const CONNECT_MS = 1000;

export function transportTo(
  t: TestContext,
  transport: TransportName,
  upstream: Partial<Upstream>,
  changes: Partial<UpstreamConnectionSettings> = {},
  clock: Clock = systemClock,
): Transport {
  const clients = new UpstreamClients(
    sampleUpstreamConnections({ transport, connectionsMax: 1, ...changes }),
    clock,
  );
  t.after(() => clients.destroy());
  return clients.for(sampleUpstream(upstream), CONNECT_MS);
}

/** Keeps what a transport tells of one request. */
export class Recorder implements TransportHandler {
  /** In order; data that came one after the other is one event. */
  readonly events: string[] = [];
  readonly heads: { status: number; reason: string; headers: readonly string[] }[] = [];
  trailers: readonly string[] = [];
  controller: TransportController | null = null;
  socket: Duplex | null = null;
  error: Error | null = null;
  bytes = 0;
  /** What was said to have been sent of the body, as one text, and then `all`. */
  readonly sent: string[] = [];
  isGivenUp = false;
  /** Called at the event of that name. */
  readonly #hooks: Hooks;

  constructor(hooks: Hooks = {}) {
    this.#hooks = hooks;
  }

  get data(): string {
    return this.events
      .filter((event) => event.startsWith('data '))
      .map((event) => event.slice(5))
      .join('');
  }

  get isOver(): boolean {
    return this.socket !== null || this.events.includes('end') || this.error !== null;
  }

  /** Resolves when the handler was told how the request ended. */
  async over(): Promise<this> {
    await until(`the request is over, not just ${this.events}`, () => this.isOver);
    return this;
  }

  onRequestStart(controller: TransportController): void {
    this.controller = controller;
    this.#tell('start', controller);
  }

  onResponseStart(controller: TransportController, status: number, reason: string): void {
    this.heads.push({ status, reason, headers: controller.fields.flat() });
    this.#tell(`head ${status}`, controller);
  }

  onRequestUpgrade(controller: TransportController, socket: Duplex): void {
    socket.on('error', () => {});
    this.socket = socket;
    this.heads.push({ status: 101, reason: '', headers: controller.fields.flat() });
    this.#tell('switch 101', controller);
  }

  onResponseData(controller: TransportController, bytes: Buffer, from: number, to: number): void {
    this.bytes += to - from;
    const last = this.events.at(-1) ?? '';
    const text = bytes.toString('latin1', from, to);
    if (last.startsWith('data ')) this.events[this.events.length - 1] = last + text;
    else this.events.push(`data ${text}`);
    this.#hooks.data?.(controller);
  }

  onResponseEnd(controller: TransportController): void {
    this.trailers = controller.rawTrailers;
    this.#tell('end', controller);
  }

  onResponseError(controller: TransportController | null, error: Error): void {
    this.error = error;
    this.#tell(`fail ${failureCause(error, this.events.includes('start'))}`, controller);
  }

  onBodySent(chunk: Buffer): void {
    this.sent[0] = (this.sent[0] ?? '') + chunk.toString('latin1');
  }

  onRequestSent(): void {
    this.sent.push('all');
  }

  #tell(event: string, controller: TransportController | null): void {
    this.events.push(event);
    const hook = this.#hooks[event.split(' ')[0] as keyof Hooks];
    if (controller !== null) hook?.(controller);
  }
}

export type Hooks = Partial<
  Record<'start' | 'head' | 'data' | 'end' | 'fail', (controller: TransportController) => void>
>;

export function send(
  transport: Transport,
  request: Partial<TransportRequest> = {},
  hooks: Hooks = {},
): Recorder {
  const recorder = new Recorder(hooks);
  transport.dispatch({ method: 'GET', path: '/', headers: Fields.of(['Host', 'x']), ...request }, recorder);
  return recorder;
}

/** One request to an upstream that does something with each connection. */
export async function sendTo(
  t: TestContext,
  transport: TransportName,
  behave: (socket: Socket) => void,
  request: Partial<TransportRequest> = {},
  hooks: Hooks = {},
): Promise<Recorder> {
  const { port } = await startRawUpstream(t, behave);
  return send(transportTo(t, transport, { port }), request, hooks);
}

// -- upstreams -----------------------------------------------------------------------------------------

export const OK = 'HTTP/1.1 200 OK\r\n';
export const EMPTY = `${OK}Content-Length: 0\r\n\r\n`;

/** Does something once the first bytes of a request have come. */
export function onRequest(act: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => socket.once('data', () => act(socket));
}

export const saying = (text: string) => onRequest((socket) => void socket.write(text, 'latin1'));
export const sayingAndClosing = (text: string) => onRequest((socket) => void socket.end(text, 'latin1'));

/** Writes, and resets the connection once that was read. */
export function sayingAndResetting(text: string): (socket: Socket) => void {
  return onRequest((socket) => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20)));
}

/** Answers every request on a connection, told apart by their empty lines, with what `answer` makes of its number. */
export function answering(answer: (index: number) => string): (socket: Socket) => void {
  return (socket) => {
    let count = 0;
    socket.on('data', (bytes) => {
      for (const _ of `${bytes}`.matchAll(/\r\n\r\n/g)) socket.write(answer(count++), 'latin1');
    });
  };
}
