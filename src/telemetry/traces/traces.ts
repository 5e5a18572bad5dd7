import { createRequire, flushCompileCache } from 'node:module';
import { sleep } from '#core/clock.ts';
import { collectGarbage, LOADED_MS } from '#core/collect-garbage.ts';
import type { RequestRecord } from '#core/request-record.ts';
import { traceBus } from './bus-spans.ts';
import type { Sender, SenderOptions } from './sender.ts';
import type { SpanCounts } from './span-queue.ts';

/** What is still waiting when an instance stops may take that long; then it is lost. */
const LAST_FLUSH_MS = 3_000;

const NOTHING_YET: SpanCounts = { sent: 0, dropped: 0, failed: 0 };

// Synchronously, as what is said on the bus does not wait.
const require = createRequire(import.meta.url);

/**
 * The traces of an instance that has a collector. OpenTelemetry's SDK is loaded for the first of them, in 110 ms in
 * which the workers serve on and queue their records: nobody waits for it at a start, and where nothing is sampled
 * it takes no memory.
 */
export class Traces implements AsyncDisposable {
  readonly #options: SenderOptions;
  #sender: Sender | null = null;

  constructor(options: SenderOptions) {
    this.#options = options;
    traceBus(() => this.#open().bus);
  }

  get counts(): SpanCounts {
    return this.#sender?.counts ?? NOTHING_YET;
  }

  /** Nothing is made of a request that is not to be traced, or for whose spans there is no room. */
  add(record: RequestRecord): void {
    if (record.isTraced) this.#open().add(record);
  }

  /** Sends what is waiting, in a bounded time. */
  async [Symbol.asyncDispose](): Promise<void> {
    traceBus(null);
    if (this.#sender === null) return;
    const late = new AbortController();
    await Promise.race([this.#sender.stop(), sleep(this.#options.clock, LAST_FLUSH_MS, late.signal)]);
    late.abort();
  }

  #open(): Sender {
    if (this.#sender === null) {
      const { Sender } = require('./sender.ts') as typeof import('./sender.ts');
      this.#sender = new Sender(this.#options);
      // For the next start, as this one may end by being killed.
      flushCompileCache();
      this.#options.clock.after(LOADED_MS, collectGarbage);
    }
    return this.#sender;
  }
}
