import { type Clock, sleep } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { VerificationKey } from '#core/jwt/keyring.ts';
import type { Log } from '#telemetry/log.ts';

/** At least this long lies between two reads that somebody asks for; also between two that fail. */
export const READ_AGAIN_MS = 30_000;

/** Where an issuer's keys come from. */
export type KeySource = {
  readonly issuer: string;
  /** How often to read, all being well. */
  readonly everyMs: number;
  /** All of its keys; rejects when they cannot be had. */
  read(signal: AbortSignal): Promise<readonly VerificationKey[]>;
};

/** The keys of one issuer, as they were last read: while they cannot be, the last ones serve on. */
export class KeyCache {
  readonly #source: KeySource;
  readonly #changed: () => void;
  readonly #signal: AbortSignal;
  readonly #clock: Clock;
  readonly #log: Log;
  #keys: readonly VerificationKey[] = [];
  #problem: unknown = null;
  #underWay: Promise<void> | null = null;
  #begunMs = -Infinity;

  /** Until `signal` aborts; `changed` is called after the keys are other ones. */
  constructor(source: KeySource, changed: () => void, signal: AbortSignal, clock: Clock, log: Log) {
    this.#source = source;
    this.#changed = changed;
    this.#signal = signal;
    this.#clock = clock;
    this.#log = log;
  }

  get issuer(): string {
    return this.#source.issuer;
  }

  get keys(): readonly VerificationKey[] {
    return this.#keys;
  }

  /** Why the last read failed; null if it did not. */
  get problem(): unknown {
    return this.#problem;
  }

  /** Reads the keys, or waits for a read that is under way. Never rejects. */
  read(): Promise<void> {
    this.#underWay ??= this.#read().finally(() => {
      this.#underWay = null;
    });
    return this.#underWay;
  }

  /** For a token that names an unknown key: reads the keys, unless that was done a short time ago. */
  async look(): Promise<void> {
    const isRecent = this.#clock.monotonicMs() - this.#begunMs < READ_AGAIN_MS;
    if (this.#underWay !== null || !isRecent) await this.read();
  }

  /** Reads the keys again and again; resolves after the signal has aborted. */
  async keepFresh(): Promise<void> {
    while (!this.#signal.aborted) {
      const { everyMs } = this.#source;
      const delayMs = this.#problem === null ? everyMs : Math.min(everyMs, READ_AGAIN_MS);
      await sleep(this.#clock, delayMs, this.#signal);
      if (!this.#signal.aborted) await this.read();
    }
  }

  async #read(): Promise<void> {
    this.#begunMs = this.#clock.monotonicMs();
    try {
      const keys = await this.#source.read(this.#signal);
      this.#note(null);
      if (areEqual(keys, this.#keys)) return;
      this.#keys = keys;
      this.#changed();
    } catch (error) {
      if (!this.#signal.aborted) this.#note(error);
    }
  }

  /** Logs the first of many failures, and their end. */
  #note(problem: unknown): void {
    const { issuer } = this.#source;
    if (problem !== null && this.#problem === null) {
      const reason = messageOf(problem);
      this.#log.warn({ issuer, reason }, 'keys could not be read; those that are known serve on');
    }
    if (problem === null && this.#problem !== null) this.#log.info({ issuer }, 'keys can be read again');
    this.#problem = problem;
  }
}

function areEqual(some: readonly VerificationKey[], others: readonly VerificationKey[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ kid, alg, key }, index) => {
      const other = others[index];
      return other !== undefined && kid === other.kid && alg === other.alg && key.equals(other.key);
    })
  );
}
