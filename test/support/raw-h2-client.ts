import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Cleanup, until } from './process.ts';

/** RFC 9113 §6. */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4 } as const;

export const ERROR = { protocol: 1, internal: 2, streamClosed: 5, refused: 7, cancel: 8, calm: 11 } as const;

export type Frame = {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
};

const PREFACE = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
const HEAD_BYTES = 9;
const NOTHING = Buffer.alloc(0);

/** An HTTP/2 client that says exactly the frames that it is told to, and keeps what it hears. */
export class RawH2Client {
  readonly socket: TLSSocket;
  readonly frames: Frame[] = [];
  /** Settings and pings are acknowledged as a client has to. */
  #isPolite = true;
  #unread: Buffer = NOTHING;

  constructor(t: Cleanup, options: ConnectionOptions) {
    this.socket = connect({ ...options, ALPNProtocols: ['h2'] });
    t.after(() => this.socket.destroy());
    this.socket.on('error', () => {});
    this.socket.on('data', (chunk: Buffer) => this.#take(chunk));
    this.socket.write(PREFACE);
    this.send(FRAME.settings, 0, 0);
  }

  /** From here on it acknowledges nothing. */
  ignore(): this {
    this.#isPolite = false;
    return this;
  }

  send(type: number, flags: number, stream: number, payload: Buffer | string = NOTHING): this {
    this.socket.write(frameOf(type, flags, stream, payload));
    return this;
  }

  /** A request without a body, of which nothing is left to be said. */
  ask(stream: number, fields: readonly string[] = get()): this {
    return this.send(FRAME.headers, FLAG.endStream | FLAG.endHeaders, stream, encode(fields));
  }

  heard(type: number, stream?: number): Frame[] {
    return this.frames.filter((frame) => frame.type === type && (stream ?? frame.stream) === frame.stream);
  }

  /** Resolves with the first frame of this kind, when it has come. */
  async hears(type: number, stream?: number): Promise<Frame> {
    await until(`a frame of type ${type}`, () => this.heard(type, stream).length > 0 || this.socket.closed);
    const [frame] = this.heard(type, stream);
    if (frame === undefined) throw new Error(`the connection ended without a frame of type ${type}`);
    return frame;
  }

  /** The code of the stream's reset. */
  async reset(stream: number): Promise<number> {
    return (await this.hears(FRAME.reset, stream)).payload.readUInt32BE();
  }

  /** What the GOAWAY says with which the connection ends. */
  async goneWith(): Promise<number> {
    await until('the connection ends', () => this.socket.closed || this.socket.readableEnded);
    return (this.heard(FRAME.goaway).at(-1)?.payload ?? Buffer.alloc(8)).readUInt32BE(4);
  }

  #take(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const end = HEAD_BYTES + (this.#unread.length < HEAD_BYTES ? 0 : this.#unread.readUIntBE(0, 3));
      if (this.#unread.length < end) return;
      const frame = {
        type: this.#unread.readUInt8(3),
        flags: this.#unread.readUInt8(4),
        stream: this.#unread.readUInt32BE(5),
        payload: this.#unread.subarray(HEAD_BYTES, end),
      };
      this.#unread = this.#unread.subarray(end);
      this.frames.push(frame);
      const isAck = (frame.flags & FLAG.ack) !== 0;
      if (frame.type === FRAME.settings && !isAck && this.#isPolite) this.send(FRAME.settings, FLAG.ack, 0);
    }
  }
}

export function frameOf(type: number, flags: number, stream: number, payload: Buffer | string): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

export function get(path = '/', ...more: readonly string[]): string[] {
  return [':method', 'GET', ':scheme', 'https', ':authority', 'one.example', ':path', path, ...more];
}

export function post(path = '/', ...more: readonly string[]): string[] {
  return [':method', 'POST', ':scheme', 'https', ':authority', 'one.example', ':path', path, ...more];
}

/** As literals without indexing (RFC 7541 §6.2.2), which can say anything. */
export function encode(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    parts.push(Buffer.of(0), textOf(fields[at] ?? ''), textOf(fields[at + 1] ?? ''));
  }
  return Buffer.concat(parts);
}

/** A length with a prefix of seven bits (RFC 7541 §5.1), and the text as it is. */
function textOf(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  const length: number[] = [];
  let rest = bytes.length - 127;
  if (rest < 0) length.push(bytes.length);
  else {
    length.push(127);
    for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
    length.push(rest);
  }
  return Buffer.concat([Buffer.from(length), bytes]);
}
