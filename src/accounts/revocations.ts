import { z } from 'zod';
import type { Bucket, Bus, Watch, WatchEvent } from '#bus/contract.ts';
import { MessageType } from '#bus/messages.ts';
import { type Clock, sleep } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { type Revocation, type Revoked, RevokedSessions } from '#core/jwt/revoked-sessions.ts';
import type { Log } from '#telemetry/log.ts';
import { type NotedRevocation, PAGE_ROWS_MAX, type SessionStore } from './store/contract.ts';

const BUCKET = 'revocations';
/** What an entry takes is a quarter of a kilobyte, on NATS too: as many as workers remember. */
const BUCKET_BYTES_MAX = 64 * 1024 * 1024;
const ENTRY_BYTES_MAX = 512;
/** How often the database is asked for what the bus may not have told: it was away, or there is none. */
const READ_EVERY_MS = 5_000;
/**
 * How far back it then looks: so much may clocks differ, and so long may what is noted take to be seen. What is
 * older was read before.
 */
const LOOK_BACK_MS = 10 * 60_000;
/** How far the clock of who issues tokens may be ahead: beyond, workers do not accept them. */
const AHEAD_MS_MAX = 60_000;
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
  readonly onRevoked: (revoked: Revoked) => void;
  /** Remembered here; another number than the workers' own only in tests. */
  readonly sessionsMax?: number;
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
  readonly #set: RevokedSessions;
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
    this.#set = new RevokedSessions(options.sessionsMax);
    this.#bucket = bus.bucket(BUCKET, { entryMsMax: accessMs, bytesMax: BUCKET_BYTES_MAX });
    this.#watch = this.#bucket.watch((event) => this.#hear(event));
  }

  /** Rejects with StoreUnavailable: without what was revoked before, no token can be trusted. */
  static async open(options: RevocationsOptions): Promise<Revocations> {
    const revocations = new Revocations(options);
    try {
      await revocations.#read(0);
    } catch (error) {
      await revocations[Symbol.asyncDispose]();
      throw error;
    }
    revocations.#reading = revocations.#keepReading();
    return revocations;
  }

  /** For workers that start later. */
  live(): Revoked {
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
    const sessions = this.#set.newAmong(revocations, nowMs);
    if (sessions.length === 0) return;
    this.#set.add({ sessions, issuedFrom: 0 }, nowMs);
    this.#options.onRevoked({ sessions, issuedFrom: this.#set.issuedFrom });
  }

  async #read(sinceMs: number): Promise<void> {
    const { store, clock } = this.#options;
    let after: string | null = null;
    for (;;) {
      const page = { after, limit: PAGE_ROWS_MAX };
      const noted: NotedRevocation[] = await store.listRevocations(clock.wallMs(), sinceMs, page);
      // Those that had no room are refused as it is. Taken for new, they would push out others, again and again.
      const refusedMs = this.#set.issuedFrom * 1000 - AHEAD_MS_MAX;
      this.#learn(noted.filter(({ notedAtMs }) => notedAtMs >= refusedMs));
      const last = noted.at(-1);
      if (last === undefined || noted.length < PAGE_ROWS_MAX) return;
      after = last.sessionId;
    }
  }

  async #keepReading(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#lifetime;
    let sinceMs = 0;
    while (!signal.aborted) {
      const readMs = clock.wallMs();
      await sleep(clock, READ_EVERY_MS, signal);
      if (signal.aborted) return;
      try {
        await this.#read(sinceMs);
        sinceMs = readMs - LOOK_BACK_MS;
      } catch {
        // Down, the database is complained of elsewhere, and nobody can revoke anything.
      }
    }
  }
}
