import { pino } from 'pino';
import { type Clock, sleep } from '#core/clock.ts';
import type { RequestRecord } from '#core/request-record.ts';
import { requestAttributes } from './request-attributes.ts';

/** Bytes that wait to be written; more are dropped: nobody reads fast enough. */
export const WAITING_BYTES_MAX = 4 * 1024 * 1024;

/** What is still waiting when an instance stops may take that long; then it is lost. */
const LAST_FLUSH_MS = 1_000;

const STANDARD_OUTPUT = 1;

/** A line for each request, as JSON, in the names of OpenTelemetry's conventions. Writing never blocks. */
export class AccessLog implements AsyncDisposable {
  readonly #stream: ReturnType<typeof pino.destination>;
  readonly #clock: Clock;
  #dropped = 0;

  /** `fd` is the file that is written to. */
  constructor(clock: Clock, fd = STANDARD_OUTPUT) {
    this.#clock = clock;
    this.#stream = pino.destination({ dest: fd, sync: false, maxLength: WAITING_BYTES_MAX });
    this.#stream.on('drop', () => this.#dropped++);
    // A reader that has gone costs its lines, and nothing else.
    this.#stream.on('error', () => {});
  }

  /** Lines that nobody read fast enough. */
  get dropped(): number {
    return this.#dropped;
  }

  add(record: RequestRecord): void {
    const { startMs, traceId } = record;
    const endMs = record.endMs ?? startMs;
    const last = record.attempts.at(-1);
    const line = {
      time: Math.round(this.#clock.wallMs() - this.#clock.monotonicMs() + endMs),
      trace_id: traceId,
      'http.server.request.duration': Math.round((endMs - startMs) * 1000) / 1e6,
      ...requestAttributes(record),
      ...(last === undefined ? {} : { 'signalbox.pool': last.pool, 'signalbox.upstream': last.upstream }),
      'signalbox.attempts': record.attempts.length,
    };
    this.#stream.write(`${JSON.stringify(line)}\n`);
  }

  /** Writes what is waiting, in a bounded time. */
  async [Symbol.asyncDispose](): Promise<void> {
    const late = new AbortController();
    const written = new Promise<void>((resolve) => this.#stream.once('close', resolve));
    this.#stream.end();
    await Promise.race([written, sleep(this.#clock, LAST_FLUSH_MS, late.signal)]);
    late.abort();
    this.#stream.destroy();
  }
}
