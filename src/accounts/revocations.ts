import { z } from 'zod';
import type { Bucket, Bus, Watch, WatchEvent } from '#bus/contract.ts';
import { MessageType } from '#bus/messages.ts';
import { type Clock, sleep } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { type RevokedSession, Revocations as RevokedSet } from '#core/jwt/revocations.ts';
import type { Log } from '#telemetry/log.ts';
import { PAGE_ROWS_MAX, type Revocation, type SessionStore } from './store/contract.ts';

const BUCKET = 'revocations';
/** What an entry takes is a quarter of a kilobyte, on NATS too: as many as workers remember. */
const BUCKET_BYTES_MAX = 64 * 1024 * 1024;
const ENTRY_BYTES_MAX = 512;
/** How often the database is asked for what the bus may not have told: it was away, or there is none. */
const READ_EVERY_MS = 5_000;
/** For one write to the bus. */
const PUT_MS_MAX = 5_000;

const Body = z.strictObject({ sid: z.string().min(1).max(255), until: z.number().int().positive() });

export type RevocationsOptions = {
  readonly bus: Bus;
  readonly store: SessionStore;
  /** Until the last access token has expired that is issued now. */
  readonly accessMs: number;
  /** Id of this instance. */
  readonly instance: string;
  /** Called with what is new here. */
  readonly onRevoked: (sessions: readonly RevokedSession[]) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * Which sessions' access tokens are refused, in every instance. Three ways lead here: what this instance
 * revokes itself, at once; what others say on the bus; and the database, which has the truth, is read at the
 * start, and again and again in case that the bus was away.
 */
export class Revocations implements AsyncDisposable {
  readonly #options: RevocationsOptions;
  readonly #set = new RevokedSet();
  readonly #messages = new MessageType({
    version: 1,
    bytesMax: ENTRY_BYTES_MAX,
    parse: (body) => Body.parse(body),
  });
  readonly #bucket: Bucket;
  readonly #watch: Watch;
  readonly #lifetime = new AbortController();
  #reading: Promise<void> = Promise.resolve();
  #sequence = 0;

  private constructor(options: RevocationsOptions) {
    const { bus, accessMs } = options;
    this.#options = options;
    this.#bucket = bus.bucket(BUCKET, { entryMsMax: accessMs, bytesMax: BUCKET_BYTES_MAX });
    this.#watch = this.#bucket.watch((event) => this.#hear(event));
  }

  /** Rejects with StoreUnavailable: without what was revoked before, no token can be trusted. */
  static async open(options: RevocationsOptions): Promise<Revocations> {
    const revocations = new Revocations(options);
    try {
      await revocations.#read();
    } catch (error) {
      await revocations[Symbol.asyncDispose]();
      throw error;
    }
    revocations.#reading = revocations.#keepReading();
    return revocations;
  }

  /** For workers that start later. */
  live(): readonly RevokedSession[] {
    return this.#set.live(this.#options.clock.wallMs());
  }

  has(sessionId: string, iat: number): boolean {
    return this.#set.has(sessionId, iat);
  }

  /** Tells everybody. The store has noted them before, so that nothing is lost if the bus is away. */
  announce(revocations: readonly Revocation[]): void {
    this.#learn(revocations);
    for (const { sessionId, untilMs } of revocations) {
      const body = { sid: sessionId, until: untilMs };
      const { instance, clock, log } = this.#options;
      const value = this.#messages.encode({ from: instance, sequence: ++this.#sequence, body });
      if (value === null) continue;
      const deadline = new AbortController();
      const timer = clock.after(PUT_MS_MAX, () => deadline.abort(new Error('the bus took too long')));
      this.#bucket
        .put(sessionId, value, deadline.signal)
        .catch((error: unknown) =>
          log.warn({ reason: messageOf(error) }, 'a revocation is not on the bus; others read it later'),
        )
        .finally(() => timer.cancel());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lifetime.abort();
    this.#watch[Symbol.dispose]();
    await this.#reading;
  }

  #hear(event: WatchEvent): void {
    if (event.type === 'deleted') return;
    const entries = event.type === 'content' ? event.entries : [event.entry];
    const heard: Revocation[] = [];
    for (const { value } of entries) {
      const decoded = this.#messages.decode(value);
      if (!decoded.ok) this.#options.log.warn({ reason: decoded.reason }, 'a revocation cannot be read');
      else heard.push({ sessionId: decoded.message.body.sid, untilMs: decoded.message.body.until });
    }
    this.#learn(heard);
  }

  #learn(revocations: readonly Revocation[]): void {
    const nowMs = this.#options.clock.wallMs();
    const fresh = revocations
      .filter(({ sessionId, untilMs }) => untilMs > nowMs && !this.#set.has(sessionId, Infinity))
      .map(({ sessionId, untilMs }): RevokedSession => [sessionId, untilMs]);
    if (fresh.length === 0) return;
    this.#set.add(fresh, nowMs);
    this.#options.onRevoked(fresh);
  }

  async #read(): Promise<void> {
    const { store, clock } = this.#options;
    let after: string | null = null;
    for (;;) {
      const page: Revocation[] = await store.listRevocations(clock.wallMs(), { after, limit: PAGE_ROWS_MAX });
      this.#learn(page);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE_ROWS_MAX) return;
      after = last.sessionId;
    }
  }

  async #keepReading(): Promise<void> {
    const { signal } = this.#lifetime;
    while (!signal.aborted) {
      await sleep(this.#options.clock, READ_EVERY_MS, signal);
      // Down, the database is complained of elsewhere, and nobody can revoke anything.
      if (!signal.aborted) await this.#read().catch(() => {});
    }
  }
}
