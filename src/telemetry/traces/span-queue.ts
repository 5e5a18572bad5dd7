import type { ReadableSpan, SpanExporter, SpanProcessor } from '@opentelemetry/sdk-trace';
import type { Clock, Timer } from '#core/clock.ts';
import type { TraceSettings } from '#core/settings.ts';
import type { Log } from '../log.ts';

export type SpanCounts = {
  readonly sent: number;
  /** There was no room: the collector takes less than there is. */
  readonly dropped: number;
  /** The collector did not take them. */
  readonly failed: number;
};

type QueueSettings = Pick<TraceSettings, 'url' | 'delayMs' | 'queueMax' | 'batchMax'>;

/** Export's result where all went well; the type's own names are in a package of which we need nothing else. */
const SUCCESS = 0;

/**
 * Spans on their way to the collector, one batch at a time: when there are enough for one, or when the first has
 * waited long enough. The queue is bounded; while the collector is slow or gone, what does not fit is dropped.
 */
export class SpanQueue implements SpanProcessor {
  readonly #exporter: SpanExporter;
  readonly #settings: QueueSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #counts = { sent: 0, dropped: 0, failed: 0 };
  #waiting: ReadableSpan[] = [];
  #timer: Timer | null = null;
  #sending: Promise<void> | null = null;
  #isFailing = false;

  constructor(exporter: SpanExporter, settings: QueueSettings, clock: Clock, log: Log) {
    this.#exporter = exporter;
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  get counts(): SpanCounts {
    return this.#counts;
  }

  /** Whether `count` more fit; if not, they count as dropped, and need not be made. */
  reserve(count: number): boolean {
    const hasRoom = this.#waiting.length + count <= this.#settings.queueMax;
    if (!hasRoom) this.#counts.dropped += count;
    return hasRoom;
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if (this.reserve(1)) this.add([span]);
  }

  /** For which there is room. */
  add(spans: readonly ReadableSpan[]): void {
    this.#waiting.push(...spans);
    this.#schedule();
  }

  /** Sends all that is waiting now, unless the collector does not take it anyway. */
  async forceFlush(): Promise<void> {
    if (this.#isFailing) return;
    for (let batches = Math.ceil(this.#waiting.length / this.#settings.batchMax); batches > 0; batches--) {
      await this.#sending;
      await this.#send();
    }
    await this.#sending;
  }

  async shutdown(): Promise<void> {
    this.#timer?.cancel();
    await this.#exporter.shutdown();
  }

  #schedule(): void {
    if (this.#sending !== null || this.#waiting.length === 0) return;
    if (this.#waiting.length >= this.#settings.batchMax) void this.#send();
    else this.#timer ??= this.#clock.after(this.#settings.delayMs, () => void this.#send());
  }

  #send(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    const batch = this.#waiting.slice(0, this.#settings.batchMax);
    this.#waiting = this.#waiting.slice(batch.length);
    this.#sending = new Promise<void>((resolve) => {
      this.#exporter.export(batch, ({ code, error }) => {
        this.#ended(batch.length, code === SUCCESS, error);
        resolve();
      });
    }).then(() => {
      this.#sending = null;
      this.#schedule();
    });
    return this.#sending;
  }

  /** Says once when it begins and once when it ends that the collector does not take what it gets. */
  #ended(count: number, isTaken: boolean, error: Error | undefined): void {
    this.#counts[isTaken ? 'sent' : 'failed'] += count;
    if (isTaken === !this.#isFailing) return;
    this.#isFailing = !isTaken;
    // Not the whole URL, which may hold a password.
    const { host } = new URL(this.#settings.url);
    const reason = error?.message ?? '';
    if (isTaken) this.#log.info({ host }, 'the collector takes traces again');
    else
      this.#log.warn({ host, reason }, 'the collector does not take traces; they are dropped until it does');
  }
}
