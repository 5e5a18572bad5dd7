import { Readable } from 'node:stream';

/** What a transport sends behind a head: a stream, or all of it at once. */
export type TransportBody = Readable | Buffer;

/** The body as a stream, for what takes no other. */
export function streamOf(body: TransportBody): Readable {
  return body instanceof Readable ? body : Readable.from([body], { objectMode: false });
}

/** Nobody will read it, nor hear of its errors. */
export function letGo(body: TransportBody | null | undefined): void {
  if (body instanceof Readable) body.on('error', () => {}).destroy();
}
