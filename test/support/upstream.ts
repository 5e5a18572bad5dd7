import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createNetServer, type Socket } from 'node:net';
import type { Cleanup } from './process.ts';

/** A real upstream on a free port, which counts what reaches it and can be killed and revived. */
export class TestUpstream {
  readonly name: string;
  readonly port: number;
  /** Requests whose head arrived. */
  requests = 0;
  /** By `X-Test-Id`, how often a request with it arrived. */
  readonly seen = new Map<string, number>();
  #server: Server;
  readonly #listener: RequestListener;

  constructor(name: string, port: number, server: Server, listener: RequestListener) {
    this.name = name;
    this.port = port;
    this.#server = server;
    this.#listener = listener;
    this.#watch();
  }

  /** Ends at once, open connections included, as if the process had been killed. */
  async kill(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async revive(): Promise<void> {
    this.#server = createServer(this.#listener).listen(this.port, '127.0.0.1');
    this.#watch();
    await once(this.#server, 'listening');
  }

  #watch(): void {
    this.#server.prependListener('request', (request: IncomingMessage) => {
      this.requests++;
      const id = request.headers['x-test-id'];
      if (typeof id === 'string') this.seen.set(id, (this.seen.get(id) ?? 0) + 1);
    });
  }
}

/** Answers with its own name once the request has arrived whole. */
export function sayName(name: string): RequestListener {
  return (request, response) => {
    request.resume();
    request.on('end', () => response.end(name));
  };
}

export async function startUpstream(
  t: Cleanup,
  name: string,
  listener: RequestListener = sayName(name),
): Promise<TestUpstream> {
  const server = createServer({ keepAliveTimeout: 60_000 }, listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
  const upstream = new TestUpstream(name, address.port, server, listener);
  t.after(() => upstream.kill().catch(() => {}));
  return upstream;
}

/** As many upstreams as names, each of which answers with its own. */
export function startUpstreams(t: Cleanup, names: readonly string[]): Promise<TestUpstream[]> {
  return Promise.all(names.map((name) => startUpstream(t, name)));
}

/** An upstream that speaks raw bytes: `behave` gets each connection. */
export async function startRawUpstream(
  t: Cleanup,
  behave: (socket: Socket) => void,
): Promise<{ name: string; port: number }> {
  const sockets = new Set<Socket>();
  const server = createNetServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    behave(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { name: 'raw', port: address.port };
}
