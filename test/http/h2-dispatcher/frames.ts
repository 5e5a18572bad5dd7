/** Frames of HTTP/2 as bytes, for upstreams that misbehave in ways that no library would (RFC 9113 §4, §6). */

import type { Socket } from 'node:net';

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;
export const ACK = 0x1;

const TYPES = {
  data: 0,
  headers: 1,
  rst_stream: 3,
  settings: 4,
  push_promise: 5,
  ping: 6,
  goaway: 7,
  window_update: 8,
  continuation: 9,
} as const;
export type FrameType = keyof typeof TYPES;

export function frame(
  type: FrameType,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = TYPES[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** Fields as HPACK literals that are never indexed; `200` and its like as the text that it is. */
export function fields(...pairs: readonly string[]): Buffer {
  const pieces: Buffer[] = [];
  for (const [at, text] of pairs.entries()) {
    if (at % 2 === 0) pieces.push(Buffer.from([0x10]));
    pieces.push(length(text.length), Buffer.from(text, 'latin1'));
  }
  return Buffer.concat(pieces);
}

/** An integer with a prefix of seven bits (RFC 7541 §5.1). */
function length(bytes: number): Buffer {
  if (bytes < 127) return Buffer.from([bytes]);
  const rest = bytes - 127;
  return Buffer.from([127, (rest & 0x7f) | 0x80, ((rest >> 7) & 0x7f) | 0x80, rest >> 14]);
}

export const head = (flags: number, stream: number, ...pairs: readonly string[]) =>
  frame('headers', END_HEADERS | flags, stream, fields(...pairs));
export const data = (flags: number, stream: number, text: string) =>
  frame('data', flags, stream, Buffer.from(text, 'latin1'));
export const reset = (stream: number, code: number) => frame('rst_stream', 0, stream, uint32(code));
export const goaway = (lastStream: number, code: number) =>
  frame('goaway', 0, 0, Buffer.concat([uint32(lastStream), uint32(code)]));
export const settings = (...pairs: readonly (readonly [id: number, value: number])[]) =>
  frame(
    'settings',
    0,
    0,
    Buffer.concat(
      pairs.map(([id, value]) => Buffer.concat([Buffer.from([id >> 8, id & 0xff]), uint32(value)])),
    ),
  );
export const MAX_CONCURRENT_STREAMS = 3;

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const PREFACE_BYTES = 24;

export type Frame = {
  readonly type: FrameType | undefined;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
};

/** Tells of each frame that comes after the client's preface. */
export function readFrames(socket: Socket, told: (frame: Frame) => void): void {
  let bytes = Buffer.alloc(0);
  let isGreeted = false;
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (!isGreeted) {
      if (bytes.length < PREFACE_BYTES) return;
      isGreeted = true;
      bytes = bytes.subarray(PREFACE_BYTES);
    }
    while (bytes.length >= 9 && bytes.length >= 9 + bytes.readUIntBE(0, 3)) {
      const end = 9 + bytes.readUIntBE(0, 3);
      const [, type] = Object.entries(TYPES).find(([, code]) => code === bytes[3]) ?? [];
      const name = (Object.keys(TYPES) as FrameType[]).find((key) => TYPES[key] === type);
      told({
        type: name,
        flags: bytes[4] ?? 0,
        stream: bytes.readUInt32BE(5),
        payload: bytes.subarray(9, end),
      });
      bytes = bytes.subarray(end);
    }
  });
}

/** Greets, and does something with each request, told by its stream. */
export function speaking(act: (socket: Socket, stream: number) => void, ...greeting: readonly Buffer[]) {
  return (socket: Socket) => {
    socket.write(greeting.length === 0 ? settings() : Buffer.concat(greeting));
    readFrames(socket, ({ type, flags, stream }) => {
      if (type === 'settings' && flags !== ACK) socket.write(frame('settings', ACK, 0));
      if (type === 'headers') act(socket, stream);
    });
  };
}
