/** The clients of a soak: each kind asks in a way of its own, and knows what became of every request. */
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { statusesIn } from '../raw-client.ts';

/** Requests that were sent; each is in exactly one of the others. */
export type Counts = {
  sent: number;
  /** Whole, with any status. */
  answered: number;
  /** With a head, but not to the end. */
  truncated: number;
  /** Without a head. */
  cut: number;
  /** By the client itself, whatever had come by then. */
  left: number;
};

export type Tally = Counts & {
  /** Answers that were not what was asked for. */
  wrong: string[];
  readonly statuses: Record<string, number>;
  /** Requests that make no sense, and those of them that were told so. */
  bad: { sent: number; told: number; cut: number };
};

export const TOKEN = 'a-token-of-the-soak';

const BODY_BYTES_MAX = 200_000;
const REST_MS_MAX = 20;
const WRONG_MAX = 20;
/** For an answer: beyond, something hangs. */
const ANSWER_MS_MAX = 30_000;

const BAD = [
  'GET / HTTP/1.1\r\nHost : soak\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: soak\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
  'GET /\0 HTTP/1.1\r\nHost: soak\r\n\r\n',
  'NONSENSE\r\n\r\n',
];

export type Kind = (soak: SoakClients) => Promise<void>;

type Ask = {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: Buffer;
  readonly isChunked?: boolean;
  readonly agent: Agent | false;
  /** What the client does with its answer; the default reads it as fast as it comes. */
  readonly read?: (response: IncomingMessage) => void;
  /** When the client leaves. */
  readonly leaveMs?: number;
};

export class SoakClients {
  readonly port: number;
  readonly tally: Tally = {
    sent: 0,
    answered: 0,
    truncated: 0,
    cut: 0,
    left: 0,
    wrong: [],
    statuses: {},
    bad: { sent: 0, told: 0, cut: 0 },
  };
  readonly agent = new Agent({ keepAlive: true });
  readonly #running: Promise<void>[] = [];
  #isOver = false;
  #id = 0;

  constructor(port: number) {
    this.port = port;
  }

  /** Keeps so many clients of a kind busy. */
  start(kind: Kind, clients: number): void {
    const run = async () => {
      while (!this.#isOver) {
        await kind(this);
        await delay(Math.random() * REST_MS_MAX);
      }
    };
    this.#running.push(...Array.from({ length: clients }, run));
  }

  /** Resolves when every client has ended what it was at. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
    this.agent.destroy();
  }

  newId(): string {
    return `soak-${this.#id++}`;
  }

  wrong(what: string): void {
    if (this.tally.wrong.length < WRONG_MAX) this.tally.wrong.push(what);
  }

  ended(how: Exclude<keyof Counts, 'sent'>, status: number): void {
    this.tally[how]++;
    const name = status === 0 ? 'none' : String(status);
    this.tally.statuses[name] = (this.tally.statuses[name] ?? 0) + 1;
  }

  dial(): Socket {
    const socket = connect(this.port, '127.0.0.1').setNoDelay();
    socket.setTimeout(ANSWER_MS_MAX, () => {
      this.wrong('a connection hung');
      socket.destroy();
    });
    return socket.on('error', () => socket.destroy());
  }

  /** One request. Resolves with its whole answer, or null. */
  ask({ method = 'GET', path, headers = {}, body, isChunked = false, agent, read, leaveMs }: Ask) {
    this.tally.sent++;
    return new Promise<{ status: number; body: Buffer } | null>((resolve) => {
      let status = 0;
      let hasLeft = false;
      const lengths = body === undefined || isChunked ? {} : { 'Content-Length': String(body.length) };
      const options = { port: this.port, host: '127.0.0.1', method, path, agent };
      const outgoing: ClientRequest = request({ ...options, headers: { ...headers, ...lengths } });
      const end = (answer: { status: number; body: Buffer } | null) => {
        this.ended(
          hasLeft ? 'left' : answer !== null ? 'answered' : status > 0 ? 'truncated' : 'cut',
          status,
        );
        resolve(answer);
      };
      outgoing.on('error', () => {});
      // An answer that has begun may be read for longer than its connection lives.
      outgoing.on('close', () => status === 0 && end(null));
      outgoing.setTimeout(ANSWER_MS_MAX, () => {
        this.wrong(`${path} hung`);
        outgoing.destroy();
      });
      outgoing.on('response', (response) => {
        status = response.statusCode ?? 0;
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', () => {});
        response.on('close', () => {
          const isWhole = response.complete && response.readableEnded;
          end(isWhole ? { status, body: Buffer.concat(chunks) } : null);
        });
        read?.(response);
      });
      if (leaveMs !== undefined) {
        const leave = () => {
          hasLeft = true;
          outgoing.destroy();
        };
        outgoing.on('finish', () => setTimeout(leave, leaveMs));
      }
      if (isChunked && body !== undefined) for (const part of parts(body)) outgoing.write(part);
      outgoing.end(isChunked ? undefined : body);
    });
  }
}

function* parts(body: Buffer): Generator<Buffer> {
  for (let at = 0; at < body.length; ) {
    const bytes = 1 + Math.floor(Math.random() * 30_000);
    yield body.subarray(at, at + bytes);
    at += bytes;
  }
}

async function plain(soak: SoakClients, agent: Agent | false): Promise<void> {
  const path = Math.random() < 0.01 ? '/reset' : `/plain/${Math.random()}`;
  const answer = await soak.ask({ path, agent });
  if (answer?.status === 200 && answer.body.toString() !== path) soak.wrong(`${path}: ${answer.body}`);
}

async function posting(soak: SoakClients, isChunked: boolean): Promise<void> {
  const body = Buffer.alloc(Math.floor(Math.random() * BODY_BYTES_MAX), soak.newId());
  const headers = { 'X-Test-Id': soak.newId() };
  const answer = await soak.ask({
    method: 'POST',
    path: '/post',
    headers,
    body,
    isChunked,
    agent: soak.agent,
  });
  if (answer?.status === 200 && !answer.body.equals(body)) soak.wrong('a body came back as another');
}

async function asking(
  soak: SoakClients,
  path: string,
  headers: Record<string, string>,
  statuses: readonly number[],
) {
  const answer = await soak.ask({ path, headers, agent: soak.agent });
  if (answer === null || answer.status >= 500 || statuses.includes(answer.status)) return;
  soak.wrong(`${path} was answered ${answer.status}`);
}

/** Several requests before the first answer; the answers come in order. */
async function pipelining(soak: SoakClients): Promise<void> {
  const socket = soak.dial();
  const paths = Array.from({ length: 5 }, (_, nth) => `/pipelined/${nth}`);
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
    if (statusesIn(received).length === paths.length && /\r\n\r\n[^\r]*$/.test(received)) socket.end();
  });
  soak.tally.sent += paths.length;
  for (const path of paths) socket.write(`GET ${path} HTTP/1.1\r\nHost: soak\r\n\r\n`);
  await closed(socket);
  const statuses = statusesIn(received);
  for (const [nth] of paths.entries()) {
    const status = statuses[nth];
    soak.ended(status === undefined ? 'cut' : 'answered', status ?? 0);
  }
  const order = [...received.matchAll(/\/pipelined\/(\d)/g)].map(([, nth]) => Number(nth));
  if (order.some((nth, at) => at > 0 && nth <= (order[at - 1] ?? 0))) soak.wrong(`answers came as ${order}`);
}

async function webSocket(soak: SoakClients): Promise<void> {
  const socket = soak.dial();
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
    if (received.endsWith('last words')) socket.end();
  });
  soak.tally.sent++;
  socket.write('GET /chat HTTP/1.1\r\nHost: soak\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await delay(300);
  const [status = 0] = statusesIn(received);
  if (status === 101) for (const words of ['first words', 'last words']) socket.write(words);
  else socket.end();
  await closed(socket);
  const isWhole = received.endsWith('first wordslast words');
  soak.ended(status === 0 ? 'cut' : status !== 101 || isWhole ? 'answered' : 'truncated', status);
}

async function bad(soak: SoakClients): Promise<void> {
  const socket = soak.dial();
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  soak.tally.bad.sent++;
  socket.write(BAD[Math.floor(Math.random() * BAD.length)] ?? '', 'latin1');
  await closed(socket);
  const [status] = statusesIn(received);
  if (status === undefined) soak.tally.bad.cut++;
  else soak.tally.bad.told++;
  if (status !== undefined && status !== 400) soak.wrong(`nonsense was answered ${status}`);
}

function slowly(response: IncomingMessage): void {
  const rest = () => {
    response.pause();
    setTimeout(() => response.resume(), 20);
  };
  response.on('data', rest);
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.on('close', () => resolve());
  });
}

const LEAVE_MS_MAX = 400;

export const KINDS: readonly (readonly [kind: Kind, clients: number])[] = [
  [(soak) => plain(soak, soak.agent), 6],
  [(soak) => plain(soak, false), 3],
  [(soak) => posting(soak, false), 2],
  [(soak) => posting(soak, true), 2],
  [(soak) => asking(soak, '/private', { Authorization: `Bearer ${TOKEN}` }, [200]), 1],
  [(soak) => asking(soak, '/private', { Authorization: 'Bearer of something else' }, [401]), 1],
  [(soak) => asking(soak, '/limited', {}, [200, 429]), 1],
  [pipelining, 2],
  [webSocket, 2],
  [bad, 1],
  [async (soak) => void (await soak.ask({ path: '/big', agent: false, read: slowly })), 1],
  [async (soak) => void (await soak.ask({ path: '/stream', agent: soak.agent })), 2],
  [
    async (soak) =>
      void (await soak.ask({ path: '/slow', agent: false, leaveMs: Math.random() * LEAVE_MS_MAX })),
    1,
  ],
  [
    async (soak) =>
      void (await soak.ask({ path: '/stream', agent: false, leaveMs: Math.random() * LEAVE_MS_MAX })),
    1,
  ],
];
