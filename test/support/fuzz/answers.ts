/** Answers, changed in any way, through an upstream's connection, and the request that comes after them. */

import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { Fields } from '#core/fields.ts';
import { H1Pool } from '#http/h1-dispatcher/h1-pool.ts';
import type { TransportController, TransportHandler } from '#http/transport.ts';
import { sampleUpstreamConnections } from '../sample-settings.ts';
import { VirtualClock } from '../virtual-clock.ts';
import { MemorySocket } from './memory-socket.ts';
import { type Case, piecesOf } from './mutate.ts';
import { readAnswer } from './oracle.ts';

const MARKER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nmarker');
const TURNS_MAX = 50;

export type AnswerCase = Case & { readonly method: string; readonly hasEnded: boolean };

export type AnswerVerdict = { readonly problem: string | null; readonly isHeard: boolean };

/** Answers one request with the case, and the next one as is right. */
export async function checkAnswer(fuzzed: AnswerCase): Promise<AnswerVerdict> {
  let answered = 0;
  let sockets = 0;
  const open: ConstructorParameters<typeof H1Pool>[0] = (onread, done) => {
    const socket = new MemorySocket(onread);
    sockets++;
    socket.onWritten = () => {
      if (answered++ > 0) queueMicrotask(() => socket.receive(MARKER));
      else void say(socket, fuzzed);
    };
    queueMicrotask(() => done(null));
    return socket.asSocket;
  };
  const pool = new H1Pool(open, sampleUpstreamConnections({ connectionsMax: 2 }), new VirtualClock());
  const first = await ask(pool, fuzzed.method, fuzzed.hasEnded);
  const second = await ask(pool, 'GET', true);
  await pool.destroy();
  return { problem: complaint(fuzzed, first, second, sockets === 1), isHeard: first.end === 'whole' };
}

async function say(socket: MemorySocket, fuzzed: AnswerCase): Promise<void> {
  const isSlow = fuzzed.cuts.length % 2 === 1;
  await nextTurn();
  for (const piece of piecesOf(fuzzed)) {
    socket.receive(piece);
    if (isSlow) await nextTurn();
  }
  if (fuzzed.hasEnded) socket.receiveEnd();
}

type Head = { readonly status: number; readonly reason: string; readonly headers: readonly unknown[] };

/** What a transport tells of one request. */
class Heard implements TransportHandler {
  readonly heads: Head[] = [];
  body = '';
  trailers: readonly unknown[] = [];
  end: 'none' | 'whole' | 'failed' | 'twice' = 'none';

  onRequestStart(): void {}

  onResponseStart({ fields }: TransportController, status: number, reason: string): void {
    this.heads.push({ status, reason, headers: fields.flat() });
  }

  onRequestUpgrade(): void {
    this.#end('failed');
  }

  onResponseData(_: TransportController, bytes: Buffer, from: number, to: number): void {
    this.body += bytes.toString('latin1', from, to);
  }

  onResponseEnd({ rawTrailers }: TransportController): void {
    this.trailers = rawTrailers;
    this.#end('whole');
  }

  onResponseError(): void {
    this.#end('failed');
  }

  #end(how: 'whole' | 'failed'): void {
    this.end = this.end === 'none' ? how : 'twice';
  }
}

/** Resolves when the answer is over, or when nothing more can come of it. */
async function ask(pool: H1Pool, method: string, mustEnd: boolean): Promise<Heard> {
  const heard = new Heard();
  pool.dispatch({ method, path: '/', headers: Fields.of(['Host', 'fuzz']) }, heard);
  const turns = mustEnd ? TURNS_MAX : TURNS_MAX / 4;
  for (let turn = 0; turn < turns && heard.end === 'none'; turn++) await nextTurn();
  // What is left of the pieces comes, too.
  for (let turn = 0; turn < 10; turn++) await nextTurn();
  return heard;
}

function complaint(
  { text, method, hasEnded }: AnswerCase,
  first: Heard,
  second: Heard,
  isSameConnection: boolean,
): string | null {
  const { messages, informational, rest } = readAnswer(text, method, hasEnded);
  const [message] = messages;
  if (second.end !== 'whole' || second.body !== 'marker') {
    return `the next request heard ${second.end} ${JSON.stringify(second.body)}`;
  }
  if (first.end === 'twice') return 'it ended twice';
  if (isSameConnection && rest !== '') return `the connection was used again after ${JSON.stringify(rest)}`;
  if (isSameConnection && message?.persists !== true) return 'a connection that is over was used again';
  if (message === undefined) {
    if (first.end === 'whole') return `heard ${JSON.stringify(first.body)} where there is no answer`;
    return hasEnded && first.end === 'none' ? 'it hangs' : null;
  }
  if (first.end !== 'whole') return `a whole answer ended as ${first.end}`;
  const heads = first.heads.map(({ status }) => status);
  const expected = [...informational.filter((status) => status !== 100), Number(message.start[0])];
  if (!isDeepStrictEqual(heads, expected)) return `heard heads ${heads} for ${expected}`;
  const { reason, headers } = first.heads.at(-1) as Head;
  if (reason !== message.start[1] || !isDeepStrictEqual(headers, message.headers)) {
    return `heard ${JSON.stringify([reason, headers])} for ${JSON.stringify([message.start[1], message.headers])}`;
  }
  if (first.body !== message.body)
    return `heard ${JSON.stringify(first.body)} for ${JSON.stringify(message.body)}`;
  const isKnown = first.trailers.every((trailer) => message.trailers.includes(String(trailer)));
  return isKnown ? null : `trailers came from nowhere: ${first.trailers}`;
}
