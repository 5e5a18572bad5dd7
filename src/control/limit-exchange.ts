import { z } from 'zod';
import type { Bus, Message } from '#bus/contract.ts';
import { MessageType } from '#bus/messages.ts';
import type { Clock, Timer } from '#core/clock.ts';
import { quotaPrint } from '#core/limits/quota.ts';
import type { Quota } from '#core/table.ts';
import type { LimitTable } from '#shared/limit-table.ts';
import type { Log } from '#telemetry/log.ts';
import { LimitHashKey } from './limit-hash-key.ts';

const SUBJECT = 'limits.used';
/**
 * How often instances tell what they let through. What all of them let through meanwhile is how far a limit
 * may be overshot; it is charged afterwards, so it does not add up.
 */
export const TELL_EVERY_MS = 100;
/** Fewer instances are believed after so long: a bus that stands still looks like that before it is given up. */
const SETTLED_MS = 30_000;
/** Clients in one message; more are told in several. */
const ENTRIES_MAX = 4096;
const MESSAGE_BYTES_MAX = 192 * 1024;
/** Instances whose last message is remembered; of more, the one that was silent longest is forgotten. */
const SENDERS_MAX = 1024;
/**
 * For how long nothing is believed that an instance said before its last word. One that was started anew counts
 * from its clock; if that was set back, the others hear it again after so long.
 */
export const REPLAY_MS = 600_000;

const Word = z.int32();
/** Key (two words), `quotaPrint`, requests let through. */
const Used = z.tuple([Word, Word, Word, z.int32().positive()]);
const Body = z.strictObject({ used: z.array(Used).min(1).max(ENTRIES_MAX) });
type Used = z.infer<typeof Used>;

export type LimitExchangeOptions = {
  readonly bus: Bus;
  readonly limits: LimitTable;
  /** Those that instances share, as the table has them now. */
  readonly quotas: () => readonly Quota[];
  /** Id of this instance. */
  readonly instance: string;
  /** Whether there can be no other: nothing is told then. */
  readonly isAlone: boolean;
  /** How many instances there are, this one included, as far as it hears of them. */
  readonly instances: () => number;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Makes the instances of a cluster count together: each tells the others, a few times a second, what its
 * clients have used of the limits that are shared, and charges what it hears. No request waits for it.
 * Without the bus, an instance lets through its part of each limit.
 */
export class LimitExchange implements AsyncDisposable {
  readonly #options: LimitExchangeOptions;
  readonly #messages = new MessageType({
    version: 1,
    bytesMax: MESSAGE_BYTES_MAX,
    parse: (body) => Body.parse(body),
  });
  readonly #parts = new AsyncDisposableStack();
  /** The last sequence number heard of each instance, and when; the one heard longest ago first. */
  readonly #heard = new Map<string, { readonly sequence: number; readonly atMs: number }>();
  #sequence: number;
  /** As it was when the bus was last there: what is shared by whoever is left alone with a limit. */
  #instances = 1;
  #fewerSinceMs = Infinity;
  #timer: Timer | null = null;

  constructor(options: LimitExchangeOptions) {
    const { bus, limits, clock, log, isAlone } = options;
    this.#options = options;
    // Higher than what this instance, by whatever start, has said before.
    this.#sequence = clock.wallMs() * 1000;
    this.#parts.use(bus.subscribe(SUBJECT, (message) => this.#hear(message)));
    this.#parts.use(bus.onState(() => limits.divide(this.divisor)));
    this.#parts.use(new LimitHashKey(bus, limits, options.instance, clock, log));
    if (!isAlone) this.#tellLater();
  }

  /** Messages that no instance would have sent. */
  get rejected(): number {
    return Object.values(this.#messages.rejects).reduce((sum, count) => sum + count, 0);
  }

  /** What shared limits are divided by now: 1 while instances count together. */
  get divisor(): number {
    return this.#options.bus.state === 'isolated' ? this.#instances : 1;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer?.cancel();
    if (!this.#options.isAlone) this.#tell();
    await this.#parts.disposeAsync();
  }

  #count(instances: number): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (instances >= this.#instances) this.#fewerSinceMs = Infinity;
    else this.#fewerSinceMs = Math.min(this.#fewerSinceMs, nowMs);
    if (instances > this.#instances || nowMs - this.#fewerSinceMs > SETTLED_MS) this.#instances = instances;
  }

  #tellLater(): void {
    this.#timer = this.#options.clock.after(TELL_EVERY_MS, () => {
      this.#tell();
      this.#tellLater();
    });
  }

  #tell(): void {
    const { bus, limits, instance, instances, quotas } = this.#options;
    if (bus.state === 'synced') this.#count(instances());
    if (quotas().length === 0) return;
    const used: Used[] = [];
    limits.settle((...entry) => used.push(entry));
    // What was let through while nobody listened was let through of this instance's own part.
    if (bus.state === 'isolated') return;
    for (let start = 0; start < used.length; start += ENTRIES_MAX) {
      const body = { used: used.slice(start, start + ENTRIES_MAX) };
      const data = this.#messages.encode({ from: instance, sequence: ++this.#sequence, body });
      if (data !== null) bus.publish(SUBJECT, data);
    }
  }

  #hear({ data }: Message): void {
    const { limits, instance, quotas, clock } = this.#options;
    const decoded = this.#messages.decode(data);
    if (!decoded.ok) return;
    const { from, sequence, body } = decoded.message;
    const nowMs = clock.monotonicMs();
    if (from === instance || this.#isReplay(from, sequence, nowMs)) return;
    this.#remember(from, sequence, nowMs);
    const known = new Map(quotas().map((quota) => [quotaPrint(quota), quota]));
    for (const [low, high, print, count] of body.used) {
      // Another configuration has other quotas: what they count is nothing that is limited here.
      const quota = known.get(print);
      if (quota !== undefined) limits.charge({ low, high }, quota, count, nowMs);
    }
  }

  #isReplay(from: string, sequence: number, nowMs: number): boolean {
    const last = this.#heard.get(from);
    return last !== undefined && sequence <= last.sequence && nowMs - last.atMs < REPLAY_MS;
  }

  #remember(from: string, sequence: number, atMs: number): void {
    this.#heard.delete(from);
    this.#heard.set(from, { sequence, atMs });
    if (this.#heard.size <= SENDERS_MAX) return;
    const [oldest] = this.#heard.keys();
    if (oldest !== undefined) this.#heard.delete(oldest);
  }
}
