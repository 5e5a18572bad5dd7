import { constants, type ServerHttp2Stream } from 'node:http2';
import type { FlatHeaders } from '#core/headers.ts';
import { IncomingBody } from '../h1-server/incoming-body.ts';

/**
 * The body of a request as it comes off its stream, which goes on when the body is broken off. `received` is told
 * of every piece.
 */
export function streamBody(stream: ServerHttp2Stream, received: (bytes: number) => void): IncomingBody {
  const body = new IncomingBody(() => stream.resume());
  stream.on('data', (chunk: Buffer) => {
    received(chunk.length);
    if (!body.destroyed && !body.push(chunk)) stream.pause();
  });
  // Nothing is read before somebody wants it.
  stream.pause();
  // They come before its end.
  stream.on('trailers', (_: unknown, __: unknown, fields: FlatHeaders) => {
    body.rawTrailers = fields;
  });
  stream.on('end', () => {
    // Where it is reset node:http2 ends it, too.
    if (stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.aborted) body.push(null);
    else body.destroy();
  });
  stream.on('aborted', () => body.destroy());
  stream.on('close', () => body.destroy());
  return body;
}
