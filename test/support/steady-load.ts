/** So many requests a second, as far as they are answered, from clients who know nothing of a restart. */
import { connect, type Socket } from 'node:net';

/** How often what is due is sent. */
const TICK_MS = 5;

/** Told of in words. */
const TROUBLES_MAX = 100;

const REQUEST = 'GET /steady HTTP/1.1\r\nHost: steady\r\n\r\n';
const LAST_REQUEST = 'GET /steady HTTP/1.1\r\nHost: steady\r\nConnection: close\r\n\r\n';

export type SteadyLoadOptions = {
  readonly port: number;
  /** Requests a second. */
  readonly rate: number;
  /** Of the requests, those that get a connection of their own, 0…1; the others use connections again. */
  readonly fresh: number;
  /** Requests under way at once; when there are as many, others come later than they are due. */
  readonly connections: number;
};

/** What became of the requests: each is in exactly one of the others but `sent`. */
export type Counts = {
  sent: number;
  served: number;
  /** No connection was made. */
  refused: number;
  /** The connection ended before the answer. */
  cut: number;
  /** Another status than 200. */
  failed: number;
};

type Connection = {
  readonly socket: Socket;
  received: string;
  isMade: boolean;
  isBusy: boolean;
  answers: number;
  idleSinceMs: number;
  askedMs: number;
};

export class SteadyLoad {
  readonly counts: Counts = { sent: 0, served: 0, refused: 0, cut: 0, failed: 0 };
  /** Milliseconds that each request took that was answered. */
  readonly times: number[] = [];
  /** How requests ended that were not answered. */
  readonly troubles: string[] = [];
  readonly #options: SteadyLoadOptions;
  readonly #idle: Connection[] = [];
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  #due = 0;
  #underWay = 0;
  #drained: (() => void) | null = null;

  constructor(options: SteadyLoadOptions) {
    this.#options = options;
    // After what has come was heard: a connection that was closed is not used again.
    this.#timer = setInterval(() => setImmediate(() => this.#send()), TICK_MS);
  }

  /** Sends no more; resolves when nothing is under way. */
  async stop(): Promise<Counts> {
    clearInterval(this.#timer);
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    for (const { socket } of this.#idle) socket.destroy();
    return this.counts;
  }

  #send(): void {
    const { rate, fresh, connections } = this.#options;
    const due = Math.floor(((performance.now() - this.#startMs) / 1000) * rate);
    for (; this.#due < due && this.#underWay < connections; this.#due++) {
      // A fraction of the numbers, evenly spread.
      const isFresh = Math.floor(this.#due * fresh) !== Math.floor((this.#due + 1) * fresh);
      this.#ask(isFresh ? this.#dial() : (this.#idle.shift() ?? this.#dial()), isFresh);
    }
  }

  #dial(): Connection {
    const socket = connect(this.#options.port, '127.0.0.1').setNoDelay().setEncoding('latin1');
    const connection: Connection = {
      socket,
      received: '',
      isMade: false,
      isBusy: false,
      answers: 0,
      idleSinceMs: performance.now(),
      askedMs: 0,
    };
    let code = '';
    socket.on('connect', () => {
      connection.isMade = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code ?? error.message;
    });
    socket.on('end', () => this.#forget(connection));
    socket.on('close', () => {
      this.#forget(connection);
      if (!connection.isBusy) return;
      if (this.troubles.length < TROUBLES_MAX) this.troubles.push(describe(connection, code || 'end'));
      this.#end(connection, connection.isMade ? 'cut' : 'refused');
    });
    return connection;
  }

  #forget(connection: Connection): void {
    const at = this.#idle.indexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  #ask(connection: Connection, isLast: boolean): void {
    const { socket } = connection;
    const startMs = performance.now();
    connection.askedMs = startMs;
    this.counts.sent++;
    this.#underWay++;
    connection.isBusy = true;
    connection.received = '';
    socket.removeAllListeners('data');
    socket.on('data', (text: string) => {
      connection.received += text;
      if (!isWhole(connection.received)) return;
      this.times.push(performance.now() - startMs);
      this.#end(connection, connection.received.startsWith('HTTP/1.1 200 ') ? 'served' : 'failed');
      if (isLast || /^Connection: close\r$/im.test(connection.received)) socket.end();
      else this.#idle.push(connection);
    });
    socket.write(isLast ? LAST_REQUEST : REQUEST);
  }

  #end(connection: Connection, outcome: 'served' | 'refused' | 'cut' | 'failed'): void {
    connection.isBusy = false;
    connection.answers++;
    connection.idleSinceMs = performance.now();
    this.counts[outcome]++;
    this.#underWay--;
    if (this.#underWay === 0) this.#drained?.();
  }
}

function describe({ isMade, received, answers, idleSinceMs, askedMs }: Connection, how: string): string {
  if (!isMade) return `${how} before there was a connection`;
  const idleMs = Math.round(askedMs - idleSinceMs);
  const waitedMs = Math.round(performance.now() - askedMs);
  return `${how} after ${received.length} bytes, ${waitedMs} ms after the request, which was preceded by ${answers} others and ${idleMs} ms`;
}

/** Answers of upstreams here have a length, or one chunk. */
function isWhole(received: string): boolean {
  const end = received.indexOf('\r\n\r\n');
  if (end < 0) return false;
  const [, length] = /^Content-Length: (\d+)\r$/im.exec(received.slice(0, end + 2)) ?? [];
  if (length !== undefined) return received.length >= end + 4 + Number(length);
  return received.endsWith('0\r\n\r\n');
}
