import { setFlagsFromString } from 'node:v8';
import { Worker } from 'node:worker_threads';
import type { Clock } from '#core/clock.ts';
import { messageOf, SignalboxError } from '#core/errors.ts';
import type { Keyring } from '#core/jwt/keyring.ts';
import type { Revoked } from '#core/jwt/revoked-sessions.ts';
import type { FailureKind } from '#core/outcome.ts';
import type { WorkerSettings } from '#core/settings.ts';
import type { Table } from '#core/table.ts';
import type { TlsMaterial } from '#core/tls.ts';
import type {
  ControlAnswer,
  ControlQuestion,
  FromWorker,
  ToWorker,
  WorkerStart,
} from '#core/worker-messages.ts';
import { forgetWorker, memoryOf, type SharedMemory, type SharedState, SPARE_WORKERS } from '#shared/state.ts';
import type { Log } from '#telemetry/log.ts';

/** Before a crashed worker is replaced: doubles with each crash in a row. */
const RESTART_FIRST_MS = 100;
const RESTART_MAX_MS = 5_000;
/** For a worker that was replaced to finish what it has. */
const LEAVE_MS_MAX = 30_000;
/** A worker that has lived this long has recovered; its next crash is a first one. */
const STABLE_MS = 30_000;

/**
 * What a request makes is gone with it, so a small young generation does: under load an instance takes 55 MB less
 * than with the 16 MB that are V8's default, at the same CPU time a request. With 2 MB it would take 6 % more of that.
 */
const SEMI_SPACE_MB = 4;

export type WorkersOptions = {
  readonly entry: URL;
  readonly settings: WorkerSettings;
  readonly shared: SharedState;
  readonly reusePort: boolean;
  /** What the control plane says to a worker's question; null if it failed over it. Never rejects. */
  readonly answer: (question: ControlQuestion) => Promise<ControlAnswer | null>;
  readonly tokens: TokenNews;
  /** What handshakes with clients need, as it is when a worker starts; null where there are none. */
  readonly tls: () => TlsMaterial | null;
  /** Too many attempts in a row have failed at the slot's upstream. */
  readonly onFailing: (slot: number, kind: FailureKind) => void;
  readonly clock: Clock;
  readonly log: Log;
};

/** What workers verify tokens by, as it is when they ask or start. */
export type TokenNews = {
  keyring(): Keyring;
  revoked(): Revoked;
  /** Looks for new keys of an issuer; resolves when that has come to an end. Never rejects. */
  look(issuer: string): Promise<void>;
};

/** Where no route asks for tokens: none is accepted. */
export const NO_TOKENS: TokenNews = {
  keyring: () => ({ revision: 0, leewaySeconds: 0, issuers: [] }),
  revoked: () => ({ sessions: [], issuedFrom: 0 }),
  look: async () => {},
};

/**
 * `failing`: it has to be replaced, when there is a number for another one. `leaving`: another one has taken over, or
 * is about to. `standby`: the other one, until it listens.
 */
type Slot = {
  readonly thread: Worker;
  readonly startedMs: number;
  readonly crashes: number;
  isDrained: boolean;
  state: 'standby' | 'serving' | 'failing' | 'leaving';
};

/**
 * The data plane as the control plane sees it: N threads. One in which something was thrown that nobody caught
 * serves on until another one listens, and then finishes what it has; one that ends by itself is replaced.
 */
export class Workers implements AsyncDisposable {
  readonly #options: WorkersOptions;
  /** By number. A number belongs to its thread until that has ended. */
  readonly #slots = new Map<number, Slot>();
  #table: Table;
  /** Numbers of workers that are about to be started. */
  readonly #promised = new Set<number>();
  #isStopping = false;
  #drained: (() => void) | null = null;

  constructor(options: WorkersOptions, table: Table) {
    this.#options = options;
    this.#table = table;
    // Read when a thread's heap is made, before the limits that a thread can be given, which say no more than this.
    setFlagsFromString(`--max-semi-space-size=${SEMI_SPACE_MB}`);
  }

  /**
   * Resolves when all of them listen; rejects, with none left, if one cannot. What is announced meanwhile
   * reaches those that listen already.
   */
  async start(): Promise<void> {
    const { workers } = this.#options.settings.server;
    const numbers = Array.from({ length: workers }, (_, number) => number);
    try {
      await Promise.all(numbers.map((number) => this.#start(number, 0, 'serving')));
    } catch (error) {
      await this.cut();
      throw error;
    }
  }

  /** Thread ids by worker number, for those who watch threads. */
  get threadIds(): readonly number[] {
    return Array.from(this.#slots.values(), ({ thread }) => thread.threadId);
  }

  /** Serves new requests from `table`. */
  publish(table: Table): void {
    this.#table = table;
    this.#tellAll({ type: 'table', table });
  }

  /** Verifies tokens by the keyring that is now. */
  announceKeyring(): void {
    this.#tellAll({ type: 'keyring', keyring: this.#options.tokens.keyring() });
  }

  /** Refuses the access tokens of these sessions from now on. */
  announceRevoked(revoked: Revoked): void {
    this.#tellAll({ type: 'revoked', revoked });
  }

  /** Shakes hands with this from now on; connections that there are stay as they are. */
  announceTls(material: TlsMaterial): void {
    this.#tellAll({ type: 'tls', material });
  }

  /** Resolves when every worker has answered its last request. */
  drain(): Promise<void> {
    this.#isStopping = true;
    return new Promise((resolve) => {
      this.#drained = resolve;
      this.#tellAll({ type: 'drain' });
      this.#reportIfDrained();
    });
  }

  /** Ends all threads at once, and with them every connection. */
  async cut(): Promise<void> {
    this.#isStopping = true;
    this.#tellAll({ type: 'cut' });
    await Promise.all(Array.from(this.#slots.values(), ({ thread }) => thread.terminate()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cut();
  }

  #start(number: number, crashes: number, state: Slot['state']): Promise<void> {
    const { entry, settings, shared, reusePort, tokens, tls, clock } = this.#options;
    const workerData: WorkerStart<SharedMemory> = {
      worker: number,
      settings,
      table: this.#table,
      memory: memoryOf(shared),
      reusePort,
      keyring: tokens.keyring(),
      revoked: tokens.revoked(),
      tls: tls(),
    };
    const thread = new Worker(entry, { workerData, name: `worker-${number}` });
    const slot: Slot = {
      thread,
      startedMs: clock.monotonicMs(),
      crashes,
      isDrained: false,
      state,
    };
    this.#slots.set(number, slot);

    return new Promise((resolve, reject) => {
      thread.on('message', (message: FromWorker) => {
        switch (message.type) {
          case 'listening':
            slot.state = 'serving';
            return resolve();
          case 'refused':
            reject(new SignalboxError(message.code, 'operator', message.message));
            return void thread.terminate();
          case 'drained':
            return this.#onDrained(slot);
          case 'problem':
            return this.#logProblem(number, message);
          case 'failed':
            return this.#onFailed(number, slot);
          case 'question':
            return void this.#answer(thread, message.id, message.question);
          case 'upstream.failing':
            return this.#options.onFailing(message.slot, message.kind);
          case 'key.missed':
            return void this.#lookForKey(thread, message.issuer);
        }
      });
      thread.on('error', (error) => {
        this.#options.log.error({ worker: number, err: error }, 'worker crashed');
        reject(new SignalboxError('worker_crashed', 'signalbox', messageOf(error), { cause: error }));
      });
      thread.on('exit', () => {
        reject(new SignalboxError('worker_ended', 'signalbox', `Worker ${number} ended before it served.`));
        this.#onExit(number, slot);
      });
    });
  }

  #logProblem(worker: number, problem: { message: string; stack: string; untold: number }): void {
    const { message, stack, untold } = problem;
    this.#options.log.error(
      { worker, err: { message, stack }, untold },
      'a request failed by a mistake in Signalbox',
    );
  }

  async #answer(thread: Worker, id: number, question: ControlQuestion): Promise<void> {
    tell(thread, { type: 'answer', id, answer: await this.#options.answer(question) });
  }

  async #lookForKey(thread: Worker, issuer: string): Promise<void> {
    const { tokens } = this.#options;
    await tokens.look(issuer);
    tell(thread, { type: 'keyring', keyring: tokens.keyring() });
  }

  #onFailed(number: number, slot: Slot): void {
    if (this.#isStopping || slot.state !== 'serving') return;
    // Where workers cannot share a port, another one can listen only when this one has ended.
    if (!this.#options.reusePort) return void slot.thread.terminate();
    slot.state = 'failing';
    this.#options.log.warn({ worker: number }, 'worker failed; it will be replaced');
    this.#relieve();
  }

  /** Replaces workers that fail, as far as there are numbers for others. */
  #relieve(): void {
    const { settings, clock } = this.#options;
    const numbers = Array.from({ length: settings.server.workers + SPARE_WORKERS }, (_, number) => number);
    for (const [failing, slot] of [...this.#slots]) {
      const number = numbers.find((it) => !this.#slots.has(it) && !this.#promised.has(it));
      if (number === undefined) return;
      if (slot.state !== 'failing') continue;
      slot.state = 'leaving';
      this.#promised.add(number);
      clock.after(this.#delayMs(slot), () => void this.#replace(slot, failing, number));
    }
  }

  async #replace(slot: Slot, failing: number, number: number): Promise<void> {
    const { clock, log } = this.#options;
    this.#promised.delete(number);
    if (this.#isStopping) return;
    try {
      await this.#start(number, this.#crashes(slot) + 1, 'standby');
      log.info({ worker: failing, by: number }, 'worker replaced');
      tell(slot.thread, { type: 'drain' });
      clock.after(LEAVE_MS_MAX, () => void slot.thread.terminate());
    } catch (error) {
      // It serves on, and is replaced when it fails the next time.
      slot.state = 'serving';
      log.error({ worker: failing, err: error }, 'worker could not be replaced');
    }
  }

  #onExit(number: number, slot: Slot): void {
    const { shared, clock, log } = this.#options;
    forgetWorker(shared, number, clock.monotonicMs());
    this.#onDrained(slot);
    if (this.#isStopping) return;
    if (slot.state === 'leaving' || slot.state === 'standby') {
      this.#slots.delete(number);
      this.#relieve();
      return;
    }
    const delayMs = this.#delayMs(slot);
    log.warn({ worker: number, restart_ms: delayMs }, 'worker ended; it will be replaced');
    clock.after(delayMs, () => {
      if (this.#isStopping) return;
      // A replacement that fails ends as a thread, too, and is replaced in turn.
      this.#start(number, this.#crashes(slot) + 1, 'serving').then(
        () => log.info({ worker: number }, 'worker replaced'),
        (error: unknown) => log.error({ worker: number, err: error }, 'worker could not be replaced'),
      );
    });
  }

  /** Until a worker is started in place of this one: the longer, the more of them ended in a row. */
  #delayMs(slot: Slot): number {
    return Math.min(RESTART_MAX_MS, RESTART_FIRST_MS * 2 ** this.#crashes(slot));
  }

  #crashes({ startedMs, crashes }: Slot): number {
    return this.#options.clock.monotonicMs() - startedMs >= STABLE_MS ? 0 : crashes;
  }

  #onDrained(slot: Slot): void {
    slot.isDrained = true;
    this.#reportIfDrained();
  }

  #reportIfDrained(): void {
    if (Array.from(this.#slots.values()).every((slot) => slot.isDrained)) this.#drained?.();
  }

  #tellAll(message: ToWorker): void {
    for (const { thread } of this.#slots.values()) tell(thread, message);
  }
}

function tell(thread: Worker, message: ToWorker): void {
  thread.postMessage(message);
}
