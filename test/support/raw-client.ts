import { connect, type Socket } from 'node:net';
import { type Cleanup, until } from './process.ts';

/** A client that says exactly the bytes it is told to, and keeps what it hears, one character a byte. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  /** The code of the error that the connection ended with. */
  error = '';
  hasEnded = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1').on('data', (text: string) => {
      this.received += text;
    });
    socket.on('end', () => {
      this.hasEnded = true;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? error.message;
    });
  }

  static dial(t: Cleanup, port: number, localAddress = '127.0.0.1'): RawClient {
    const client = new RawClient(connect({ port, host: '127.0.0.1', localAddress, allowHalfOpen: true }));
    t.after(() => client.socket.destroy());
    return client;
  }

  say(text: string): this {
    this.socket.write(text, 'latin1');
    return this;
  }

  /** Resolves when `text` has come. */
  hears(text: string): Promise<void> {
    return until(`${JSON.stringify(text)} is heard`, () => this.received.includes(text));
  }

  /** All that came, when the other side has ended the connection one way or the other. */
  async ended(): Promise<string> {
    await until('the connection ends', () => this.hasEnded || this.socket.closed);
    return this.received;
  }
}

/** A request's bytes. */
export function requestOf(line: string, ...headers: readonly string[]): string {
  return [`${line} HTTP/1.1`, 'Host: test', ...headers, '', ''].join('\r\n');
}

/** Status codes of the answers in what a client heard, in order. Bodies must not look like answers. */
export function statusesIn(received: string): number[] {
  return [...received.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));
}
