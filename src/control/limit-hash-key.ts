import { z } from 'zod';
import type { Bucket, Bus, Entry, WatchEvent } from '#bus/contract.ts';
import { isConflict } from '#bus/errors.ts';
import { MessageType } from '#bus/messages.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { LimitTable } from '#shared/limit-table.ts';
import type { Log } from '#telemetry/log.ts';

const BUCKET = 'limits';
const BUCKET_BYTES_MAX = 64 * 1024;
const KEY = 'hash-key';
const VALUE_BYTES_MAX = 512;
/** For one write to the bus. */
const WRITE_MS_MAX = 5_000;

const Body = z.strictObject({ key: z.tuple([z.int32(), z.int32()]) });

/**
 * Instances name clients to each other by a keyed hash, so they need one key. Whoever finds none on the bus
 * writes down its own, the first one wins, and the others take it over.
 */
export class LimitHashKey implements Disposable {
  readonly #bucket: Bucket;
  readonly #watch: Disposable;
  readonly #limits: LimitTable;
  readonly #instance: string;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #messages = new MessageType({
    version: 1,
    bytesMax: VALUE_BYTES_MAX,
    parse: (body) => Body.parse(body),
  });

  constructor(bus: Bus, limits: LimitTable, instance: string, clock: Clock, log: Log) {
    this.#limits = limits;
    this.#instance = instance;
    this.#clock = clock;
    this.#log = log;
    this.#bucket = bus.bucket(BUCKET, { entryMsMax: null, bytesMax: BUCKET_BYTES_MAX });
    this.#watch = this.#bucket.watch((event) => this.#hear(event));
  }

  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]();
  }

  #hear(event: WatchEvent): void {
    if (event.type === 'deleted') return;
    const entries = event.type === 'content' ? event.entries : [event.entry];
    const entry = entries.find(({ key }) => key === KEY);
    if (entry !== undefined) this.#adopt(entry);
    else if (event.type === 'content') this.#offer();
  }

  #adopt({ value }: Entry): void {
    const decoded = this.#messages.decode(value);
    if (decoded.ok) this.#limits.rekey(decoded.message.body.key);
    else this.#log.warn({ reason: decoded.reason }, 'the key of shared limits cannot be read');
  }

  #offer(): void {
    const [k0, k1] = this.#limits.hashKey;
    const body: z.infer<typeof Body> = { key: [k0, k1] };
    const value = this.#messages.encode({ from: this.#instance, sequence: 0, body });
    if (value === null) return;
    const deadline = new AbortController();
    const timer = this.#clock.after(WRITE_MS_MAX, () => deadline.abort(new Error('the bus took too long')));
    this.#bucket
      .create(KEY, value, deadline.signal)
      .catch((error: unknown) => {
        // Another one was first, and the watch tells which.
        if (isConflict(error)) return;
        this.#log.warn({ reason: messageOf(error) }, 'the key of shared limits is not on the bus');
      })
      .finally(() => timer.cancel());
  }
}
