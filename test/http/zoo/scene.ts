/** An instance between an upstream of raw bytes, which does as it is asked, and clients that look at every byte. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type Cleanup, type Instance, startInstance, until } from '#test/support/process.ts';
import { RawClient } from '#test/support/raw-client.ts';
import { startRawUpstream } from '#test/support/upstream.ts';

/** What an upstream does when it is asked; a text is said as it is, one character a byte, and nothing more. */
export type Habit = string | ((socket: Socket) => void);

export const OK = 'HTTP/1.1 200 OK\r\n';

/** What every other request is answered. */
const NEXT = 'what was asked for';

/** Milliseconds: what waits for an upstream waits no longer. */
const TIMEOUTS = { connect_ms: 1000, first_byte_ms: 300, idle_ms: 300, attempt_ms: 600, request_ms: 900 };

export class Zoo {
  readonly instance: Instance;
  readonly #t: Cleanup;
  readonly #habits: Habit[] = [];
  /** Numbers of the habits after which an upstream was asked something else on the same connection. */
  readonly #usedAgain = new Set<number>();

  static async open(t: Cleanup, transport: string): Promise<Zoo> {
    const behave = (socket: Socket) => zoo.#behave(socket);
    const upstream = await startRawUpstream(t, behave);
    const instance = await startInstance(t, [upstream], {
      upstream_connections: { transport },
      load_balancing: { outlier_detection: { consecutive_5xx: 0, consecutive_gateway_failure: 0 } },
      retry: { attempts: 1 },
      timeouts: TIMEOUTS,
    });
    const zoo: Zoo = new Zoo(t, instance);
    return zoo;
  }

  private constructor(t: Cleanup, instance: Instance) {
    this.#t = t;
    this.instance = instance;
  }

  /** Asks an upstream of that habit, and tells what the client sees of it: see `seen`. */
  async ask(habit: Habit, request = 'GET', fields = '', body = ''): Promise<string> {
    this.#habits.push(habit);
    const line = `${request} /habit/${this.#habits.length - 1} HTTP/1.1`;
    const client = RawClient.dial(this.#t, this.instance.port);
    client.say(`${line}\r\nHost: zoo\r\n${fields}\r\n${body}`);
    const told = () => seen(client.received, request, client.hasEnded || client.socket.closed);
    await until('the client has seen something', () => told() !== null, 5000);
    const text = told() ?? '';
    const wrong = client.hasEnded || client.socket.closed ? '' : await this.#wrongAfter(client);
    client.socket.destroy();
    return text + wrong;
  }

  /** What comes on the same connection besides the answer to the next request; '' for nothing. */
  async #wrongAfter(client: RawClient): Promise<string> {
    const before = client.received.length;
    client.say('GET /next HTTP/1.1\r\nHost: zoo\r\n\r\n');
    const told = () => seen(client.received.slice(before), 'GET', client.hasEnded || client.socket.closed);
    await until('the client has its next answer', () => told() !== null, 5000);
    const text = told() ?? '';
    return text === `200 ${NEXT}` || text === 'nothing' ? '' : ` followed by ${text}`;
  }

  /** What another client gets that asks for something else. */
  async next(): Promise<string> {
    const client = RawClient.dial(this.#t, this.instance.port);
    client.say('GET /next HTTP/1.1\r\nHost: zoo\r\nConnection: close\r\n\r\n');
    const text = seen(await client.ended(), 'GET', true) ?? '';
    return text === `200 ${NEXT}` ? 'its own answer' : text;
  }

  /** Whether the connection of the last upstream that was asked was used for another request. */
  get wasUsedAgain(): boolean {
    return this.#usedAgain.has(this.#habits.length - 1);
  }

  #behave(socket: Socket): void {
    let last = -1;
    let asked = '';
    socket.on('data', (bytes: Buffer) => {
      asked += bytes.toString('latin1');
      const [, path, number = ''] = /^[A-Z]+ \/(next|habit)\/?(\d*) [\s\S]*?\r\n\r\n/.exec(asked) ?? [];
      if (path === undefined) return;
      asked = '';
      this.#usedAgain.add(last);
      if (path === 'next') {
        socket.write(`${OK}Content-Length: ${NEXT.length}\r\n\r\n${NEXT}`);
        return;
      }
      last = Number(number);
      const habit = this.#habits[last] ?? '';
      if (typeof habit === 'string') socket.write(habit, 'latin1');
      else habit(socket);
    });
  }
}

/**
 * An answer as a client reads it, strictly: its status and body; `…` where it was cut off; null while it goes on.
 * Informational answers come first, in brackets; `+` where there are several of one kind.
 */
export function seen(received: string, method: string, hasEnded: boolean): string | null {
  const headEnd = received.indexOf('\r\n\r\n');
  if (headEnd < 0) return hasEnded ? (received === '' ? 'nothing' : `${received}…`) : null;
  const head = received.slice(0, headEnd);
  const rest = received.slice(headEnd + 4);
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1]);
  if (Number.isNaN(status) || /[^\r]\n|\r[^\n]|\0/.test(head)) return `not HTTP: ${JSON.stringify(head)}`;
  if (status < 200 && status !== 101) {
    const answer = seen(rest, method, hasEnded);
    if (answer === null) return null;
    const isAnother = answer.startsWith(`[${status}]`);
    return isAnother ? answer.replace(/^(\[\d+\])\+? /, '$1+ ') : `[${status}] ${answer}`;
  }
  if (status >= 500 && /^Proxy-Status: /im.test(head)) return `${status}`;
  const body = bodyOf(head, rest, method, status, hasEnded);
  return body === null ? null : `${status} ${body}`.trimEnd();
}

function bodyOf(
  head: string,
  rest: string,
  method: string,
  status: number,
  hasEnded: boolean,
): string | null {
  if (method === 'HEAD' || status === 204 || status === 304) return extra('', rest);
  if (/^Transfer-Encoding: chunked$/im.test(head)) return chunksOf(rest, hasEnded);
  const length = Number(/^Content-Length: (\d+)$/im.exec(head)?.[1]);
  if (Number.isNaN(length)) return hasEnded ? rest : null;
  if (rest.length >= length) return extra(rest.slice(0, length), rest.slice(length));
  return hasEnded ? `${rest}…` : null;
}

function chunksOf(rest: string, hasEnded: boolean): string | null {
  let body = '';
  for (let left = rest; ; ) {
    const [line = '', size = ''] = /^([0-9a-f]+)\r\n/i.exec(left) ?? [];
    const bytes = Number.parseInt(size, 16);
    const [end] = bytes === 0 ? (/^0\r\n(?:.+\r\n)*\r\n/.exec(left) ?? []) : [];
    if (end !== undefined) return extra(body, left.slice(end.length));
    const data = left.slice(line.length, line.length + (bytes || 0));
    body += data;
    left = left.slice(line.length + data.length + 2);
    const isWhole = bytes > 0 && data.length === bytes;
    if (!isWhole) return hasEnded ? `${body}…` : null;
  }
}

function extra(body: string, more: string): string {
  return more === '' ? body : `${body}, and then ${JSON.stringify(more)}`;
}

// -- habits --------------------------------------------------------------------------------------------

export function sayAndClose(text: string): Habit {
  return (socket) => void socket.end(text, 'latin1');
}

/** Resets the connection when what it says has been read. */
export function sayAndReset(text: string): Habit {
  return (socket) => void socket.write(text, 'latin1', () => setTimeout(() => socket.resetAndDestroy(), 30));
}

/** Says the rest in pieces of its own. */
export function sayInTurn(...texts: readonly string[]): Habit {
  return async (socket) => {
    socket.setNoDelay(true);
    for (const text of texts) {
      socket.write(text, 'latin1');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
}

/** Says it over and over, for as long as anybody listens. */
export function sayForEver(text: string, first = '', pauseMs = 0): Habit {
  return async (socket) => {
    socket.write(first, 'latin1');
    while (!socket.destroyed) {
      const isFull = !socket.write(text, 'latin1');
      // Whoever stops listening may do so with an error.
      if (isFull) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };
}
