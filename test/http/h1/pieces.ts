import fc from 'fast-check';
import { type BodyStep, ChunkedDecoder } from '#http/h1/chunked-decoder.ts';
import { FAULTY, type HeadLimits, HeadParser, INCOMPLETE } from '#http/h1/head-parser.ts';
import { RequestLine, StatusLine } from '#http/h1/start-lines.ts';

/** Wire text has one character for each byte. */
export const bytesOf = (text: string) => Buffer.from(text, 'latin1');

/** `bytes` cut at some places: as they might arrive. */
export function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}

export const places = fc.array(fc.nat(4096), { maxLength: 8 });

export const LIMITS: HeadLimits = { bytesMax: 65_536, fieldsMax: 100 };

/** A start line and its fields, or what was wrong; and what followed the head. */
export type Heard = { readonly head: unknown; readonly rest: string };

/** Reads one head out of pieces. Null while it is incomplete. */
export function hear(parser: HeadParser, pieces: readonly Buffer[], said: () => unknown): Heard | null {
  for (const [index, piece] of pieces.entries()) {
    const end = parser.parse(piece, 0);
    if (end === INCOMPLETE) continue;
    if (end === FAULTY) return { head: parser.fault, rest: '' };
    const rest = Buffer.concat([piece.subarray(end), ...pieces.slice(index + 1)]).toString('latin1');
    return { head: said(), rest };
  }
  return null;
}

export function hearRequest(pieces: readonly Buffer[], limits = LIMITS): Heard | null {
  const line = new RequestLine();
  const parser = new HeadParser(line, limits);
  return hear(parser, pieces, () => [line.method, line.target, line.minor, ...parser.fields.flat()]);
}

export function hearResponse(pieces: readonly Buffer[], limits = LIMITS): Heard | null {
  const line = new StatusLine();
  const parser = new HeadParser(line, limits);
  return hear(parser, pieces, () => [line.status, line.reason, line.minor, ...parser.fields.flat()]);
}

/** A chunked body as it is heard: data as one text, however it came. */
export type HeardBody = {
  readonly data: string;
  readonly end: Exclude<BodyStep, 'data'> | string;
  readonly trailers: readonly string[];
  readonly rest: string;
};

export function hearChunks(pieces: readonly Buffer[]): HeardBody {
  const decoder = new ChunkedDecoder();
  let data = '';
  for (const [index, piece] of pieces.entries()) {
    let step: BodyStep;
    let at = 0;
    do {
      step = decoder.step(piece, at);
      at = decoder.at;
      if (step === 'data') data += piece.toString('latin1', decoder.from, at);
    } while (step === 'data');
    if (step === 'incomplete') continue;
    const rest = Buffer.concat([piece.subarray(at), ...pieces.slice(index + 1)]).toString('latin1');
    return step === 'faulty'
      ? { data, end: decoder.fault ?? 'no fault', trailers: [], rest: '' }
      : { data, end: step, trailers: decoder.trailers, rest };
  }
  return { data, end: 'incomplete', trailers: [], rest: '' };
}
