import type { Bus, Message } from '#bus/contract.ts';
import type { RejectReason } from '#bus/messages.ts';
import type { Word } from '#core/agreement/agreement.ts';
import { MEMBER_MS_MAX } from '#core/agreement/members.ts';
import type { Opinion } from '#core/agreement/opinion.ts';
import type { Clock, Timer } from '#core/clock.ts';
import type { RegistryReport } from '#core/cluster-view.ts';
import type { Log } from '#telemetry/log.ts';
import { spanOfSaying, withinSpanOfHearing } from '#telemetry/traces/bus-spans.ts';
import {
  HEARTBEAT_SUBJECT,
  heartbeatOf,
  heartbeatType,
  OPINIONS_PER_MESSAGE_MAX,
  wordOf,
} from './heartbeat.ts';

/** Every instance says all that it has to say once in this time. */
export const HEARTBEAT_MS = 1_000;
/** Opinions that change together are said together. */
export const COALESCE_MS = 5;
/** And those who come together are greeted together. */
const GREET_MS = 50;

export type HeartbeatsOptions = {
  readonly bus: Bus;
  /** Own id. */
  readonly instance: string;
  /** Of the program. */
  readonly version: string;
  readonly report: () => RegistryReport;
  /** All own opinions, or those of some upstreams. */
  readonly opinions: (upstreams: ReadonlySet<string> | null) => readonly (readonly [string, Opinion])[];
  /** What another instance said. */
  readonly heard: (word: Word) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** What this instance says to the others, and hears of them. */
export class Heartbeats implements Disposable {
  readonly #options: HeartbeatsOptions;
  readonly #type = heartbeatType();
  readonly #subscription: Disposable;
  #incarnation: number;
  #sequence = 0;
  #nextBeat: Timer | null = null;
  #soon: Timer | null = null;
  /** Whose opinions are to be said soon. */
  readonly #changed = new Set<string>();
  /** Whether there is an upstream among those that was known, and has turned. */
  #hasTurned = false;
  #isAlone = true;
  #greeting: Timer | null = null;
  #hasNamesake = false;
  /** Of the namesake whose word counts in place of this instance's, and when it spoke last; null for none. */
  #precedence: { readonly incarnation: number; readonly heardMs: number } | null = null;

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
    this.#incarnation = Math.floor(options.clock.wallMs());
    this.#subscription = options.bus.subscribe(HEARTBEAT_SUBJECT, (message) => this.#hear(message));
  }

  /** Messages that were no heartbeats, by reason. */
  get rejects(): Readonly<Record<RejectReason, number>> {
    return this.#type.rejects;
  }

  /** Says everything now, and from now on once in a while. */
  beat(): void {
    this.#nextBeat?.cancel();
    this.#greeting?.cancel();
    this.#greeting = null;
    this.#nextBeat = this.#options.clock.after(HEARTBEAT_MS, () => this.beat());
    this.#changed.clear();
    this.#outliveNamesake();
    const opinions = this.#options.opinions(null);
    for (let said = 0; said === 0 || said < opinions.length; said += OPINIONS_PER_MESSAGE_MAX) {
      this.#say(opinions.slice(said, said + OPINIONS_PER_MESSAGE_MAX));
    }
  }

  /**
   * The own opinion of this upstream has changed: does not wait for the next heartbeat. `isTurn`: there was one
   * before, so that somebody may want to know how the turn was passed on.
   */
  hurry(upstream: string, isTurn: boolean): void {
    this.#changed.add(upstream);
    this.#hasTurned ||= isTurn;
    this.#soon ??= this.#options.clock.after(COALESCE_MS, () => {
      this.#soon = null;
      if (this.#changed.size >= OPINIONS_PER_MESSAGE_MAX) return this.beat();
      if (this.#changed.size > 0) this.#tellChanges(this.#options.opinions(this.#changed));
      this.#changed.clear();
      this.#hasTurned = false;
    });
  }

  /** Another instance has come: it need not wait for the next heartbeat. */
  greet(): void {
    this.#greeting ??= this.#options.clock.after(GREET_MS, () => this.beat());
  }

  /** Says that the instance ends; nothing is said or heard any more. */
  [Symbol.dispose](): void {
    for (const timer of [this.#nextBeat, this.#soon, this.#greeting]) timer?.cancel();
    this.#subscription[Symbol.dispose]();
    this.#say([], true);
  }

  #tellChanges(opinions: readonly (readonly [string, Opinion])[]): void {
    if (this.#isAlone || !this.#hasTurned) {
      this.#say(opinions);
      return;
    }
    const words = opinions.map(([id, { verdict, reason }]) => `${id} ${verdict} ${reason}`.trim());
    this.#say(opinions, false, spanOfSaying(HEARTBEAT_SUBJECT, words));
  }

  /** Nothing is kept to be said later, if the bus is away: the next heartbeat says it anyway. */
  #say(
    opinions: readonly (readonly [string, Opinion])[],
    isLeaving = false,
    traceparent: string | null = null,
  ): void {
    const { bus, instance, version, report } = this.#options;
    const data = this.#type.encode(
      heartbeatOf({
        from: instance,
        stamp: { incarnation: this.#incarnation, sequence: this.#sequence++ },
        introduction: { ...report(), version },
        isLeaving,
        opinions,
      }),
    );
    if (data === null) throw new Error('a heartbeat is larger than its bounds allow');
    bus.publish(HEARTBEAT_SUBJECT, data, traceparent);
  }

  #hear({ data, traceparent }: Message): void {
    const decoded = this.#type.decode(data);
    if (!decoded.ok) return;
    const word = wordOf(decoded.message);
    const { instance, heard } = this.#options;
    if (word.from !== instance) {
      this.#isAlone = false;
      withinSpanOfHearing(HEARTBEAT_SUBJECT, word.from, traceparent, () => heard(word));
    } else if (word.stamp.incarnation !== this.#incarnation) this.#noteNamesake(word);
  }

  /** Two instances of one name take each other's opinions for their own, and count as one. */
  #noteNamesake({ stamp: { incarnation }, isLeaving }: Word): void {
    const { log, instance, clock } = this.#options;
    const heardMs = isLeaving ? -Infinity : clock.monotonicMs();
    if (incarnation > this.#incarnation) this.#precedence = { incarnation, heardMs };
    if (this.#hasNamesake) return;
    this.#hasNamesake = true;
    log.error({ instance }, 'another instance of the cluster has the same id; give each its own');
  }

  /** Nobody would heed this instance for as long as they remember one that called itself the same, later. */
  #outliveNamesake(): void {
    if (this.#precedence === null) return;
    const { incarnation, heardMs } = this.#precedence;
    if (this.#options.clock.monotonicMs() - heardMs < MEMBER_MS_MAX) return;
    this.#precedence = null;
    this.#incarnation = Math.min(Number.MAX_SAFE_INTEGER, incarnation + 1);
  }
}
