import { connect, type Socket } from 'node:net';
import { until } from './process.ts';

/** What a client takes its time for; `idle`: it has been answered, and says nothing more. */
export const SLOW_KINDS = ['idle', 'head', 'body', 'read'] as const;
export type SlowKind = (typeof SLOW_KINDS)[number];

const HEAD = 'Host: slow\r\n';
const BEGINNINGS: Readonly<Record<SlowKind, string>> = {
  idle: `GET /health HTTP/1.1\r\n${HEAD}\r\n`,
  head: `GET / HTTP/1.1\r\n${HEAD}X-Slow: `,
  body: `POST / HTTP/1.1\r\n${HEAD}Content-Length: 1000000\r\n\r\n`,
  read: `GET /large HTTP/1.1\r\n${HEAD}\r\n`,
};

/** Connections that are made at once. */
const BATCH = 200;

type Client = { readonly kind: SlowKind; readonly socket: Socket; isDialled: boolean };

/** Many clients that take their time, each on a connection of its own. */
export class SlowClients {
  /** Connections that the other side has ended, by kind. */
  readonly ended: Record<SlowKind, number> = { idle: 0, head: 0, body: 0, read: 0 };
  readonly #port: number;
  readonly #isRenewed: boolean;
  readonly #clients = new Set<Client>();
  #isOver = false;

  /** If they are renewed, each that is ended comes back at once. */
  constructor(port: number, isRenewed: boolean) {
    this.#port = port;
    this.#isRenewed = isRenewed;
  }

  get count(): number {
    return this.#clients.size;
  }

  /** Resolves when as many more are connected. */
  async join(kind: SlowKind, count: number): Promise<void> {
    for (let left = count; left > 0; left -= BATCH) {
      const batch = Array.from({ length: Math.min(left, BATCH) }, () => this.#dial(kind));
      await until('they are connected', () => batch.every(({ isDialled }) => isDialled));
    }
  }

  /** Each that sends sends a byte more, and each that reads reads a piece more. */
  drip(): void {
    for (const { kind, socket } of this.#clients) {
      if (kind === 'read') socket.once('data', () => socket.pause()).resume();
      else if (kind !== 'idle' && socket.writable) socket.write('a');
    }
  }

  leave(): void {
    this.#isOver = true;
    for (const { socket } of this.#clients) socket.destroy();
  }

  #dial(kind: SlowKind): Client {
    const socket = connect(this.#port, '127.0.0.1');
    const client: Client = { kind, socket, isDialled: false };
    this.#clients.add(client);
    socket.once('connect', () => {
      client.isDialled = true;
      socket.write(BEGINNINGS[kind]);
      if (kind === 'read') socket.pause();
      else socket.resume();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#clients.delete(client);
      client.isDialled = true;
      if (this.#isOver) return;
      this.ended[kind]++;
      if (this.#isRenewed) this.#dial(kind);
    });
    return client;
  }
}
