/** A line to a server that breaks where a test wants it to. */

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import type { TestContext } from 'node:test';

export class CutLine {
  readonly port: number;
  /** What of the client has passed since the last `arm`, in pieces as they arrived: about one a statement. */
  passed = 0;
  #cutAt = Infinity;
  #loses: 'request' | 'answer' = 'request';

  private constructor(port: number) {
    this.port = port;
  }

  static async start(t: TestContext, to: number): Promise<CutLine> {
    const server = createServer((client) => line.#join(client, connect(to, '127.0.0.1')));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
    const line = new CutLine(address.port);
    t.after(() => server.close());
    return line;
  }

  /** Breaks at the nth piece of a client: before the server has it, or before its answer comes back. */
  arm(nth: number, loses: 'request' | 'answer'): void {
    this.passed = 0;
    this.#cutAt = nth;
    this.#loses = loses;
  }

  heal(): void {
    this.#cutAt = Infinity;
  }

  #join(client: Socket, server: Socket): void {
    const cut = () => {
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', cut).on('close', cut);
    client.on('data', (data) => {
      this.passed++;
      if (this.#loses === 'request' && this.passed === this.#cutAt) cut();
      else server.write(data);
    });
    server.on('data', (data) => {
      if (this.#loses === 'answer' && this.passed >= this.#cutAt) cut();
      else client.write(data);
    });
  }
}
