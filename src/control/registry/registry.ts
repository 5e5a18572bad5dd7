import type { Bus, Watch } from '#bus/contract.ts';
import { type Clock, sleep, type Timer } from '#core/clock.ts';
import type { RegistryReport } from '#core/cluster-view.ts';
import { planBetween } from '#core/registry/plan.ts';
import type { UpstreamDraft } from '#core/registry/record.ts';
import { Replica, type ReplicaEvent } from '#core/registry/replica.ts';
import { CLAIM_OF_FILE, type Claim, claimAfter, decide } from '#core/registry/seed.ts';
import type { Log } from '#telemetry/log.ts';
import { RegistryCodec, type RegistryValue } from './codec.ts';
import { planOf, warnIfFileDiffers, warnIfLost } from './compare.ts';
import { Filler } from './fill.ts';
import { SEED_KEY } from './forms.ts';
import { Served } from './served.ts';
import { RegistryStore } from './store.ts';
import { Waiting } from './waiting.ts';

/** Without a word from whoever fills the registry for so long, another instance does. */
const FILL_SILENCE_MS_MAX = 10_000;
/** How long a start waits for the registry before it serves what the configuration file says. */
const START_MS_MAX = 2_000;
/** All of it is read again so often: no watch that went silent stays unnoticed for longer. */
const REREAD_MS = 60_000;

export type RegistryOptions = {
  readonly bus: Bus;
  /** Id of this instance. */
  readonly instance: string;
  /** The upstreams of the configuration file, and its name. */
  readonly configured: readonly UpstreamDraft[];
  readonly file: string;
  readonly clock: Clock;
  readonly log: Log;
};

/**
 * The registry as an instance serves it. It is read whole, then followed; until there is one, and while it is
 * lost or being filled, what was served last is served on.
 */
export class Registry implements AsyncDisposable {
  readonly store: RegistryStore;
  /** What is served may be something else than before. */
  onChange: () => void = () => {};
  readonly #options: RegistryOptions;
  readonly #codec: RegistryCodec;
  readonly #filler: Filler;
  readonly #replica = new Replica<RegistryValue>();
  readonly #waiting: Waiting;
  readonly #life = new AbortController();
  #watch: Watch;
  #served: Served;
  /** Of the registry that is served; null while that is the file. */
  #epoch: string | null = null;
  /** Whether the replica is what is served. */
  #isOpen = false;
  /** Whether `#served` has yet to be made of the replica. */
  #isStale = false;
  /** Whether the start did not wait for it any longer. */
  #isGivenUp = false;
  #overdue: Timer | null = null;

  constructor(options: RegistryOptions) {
    const { bus, instance, configured, clock, log } = options;
    this.#options = options;
    this.#codec = new RegistryCodec(instance, log);
    this.store = new RegistryStore(bus, this.#codec, clock);
    this.#filler = new Filler(this.store, log);
    this.#waiting = new Waiting(clock);
    this.#served = Served.fromFile(configured);
    this.#watch = this.store.watch((event) => this.#hear(event));
    void this.#keepReading();
  }

  /** Aborts when it is closed. */
  get signal(): AbortSignal {
    return this.#life.signal;
  }

  get served(): Served {
    if (this.#isStale) this.#served = Served.fromRegistry(this.#replica);
    this.#isStale = false;
    return this.#served;
  }

  /** Whether changes can be written now and will be heard of. */
  get isOpen(): boolean {
    return this.#isOpen && this.#options.bus.state === 'synced';
  }

  get report(): RegistryReport {
    const { ageMs } = this.#watch;
    const { revision, checksum } = this.served;
    return { revision, checksum, watchAgeMs: Number.isFinite(ageMs) ? Math.round(ageMs) : null };
  }

  /** Values that could not be read. */
  get rejects(): number {
    return this.#codec.rejects;
  }

  /** Resolves when the registry is served, or when it shows that there is none to be had soon. */
  async opened(signal: AbortSignal): Promise<void> {
    const { bus, file, log } = this.#options;
    using _ = bus.onState(() => this.#waiting.look());
    signal.addEventListener('abort', () => this.#waiting.look(), { once: true });
    const isKnown = () => this.#isOpen || bus.state === 'isolated' || signal.aborted;
    await this.#waiting.until(isKnown, START_MS_MAX);
    if (this.#isOpen || signal.aborted) return;
    this.#isGivenUp = true;
    log.warn('registry: not reachable; until it is, the upstreams of %s are served', file);
  }

  /** Resolves with whether what is served is as wanted: as soon as it is, or after `deadlineMs`. */
  until(isTrue: (served: Served) => boolean, deadlineMs: number): Promise<boolean> {
    return this.#waiting.until(() => this.#isOpen && isTrue(this.served), deadlineMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.abort();
    this.#watch[Symbol.dispose]();
    this.#filler.stop();
    this.#overdue?.cancel();
  }

  async #keepReading(): Promise<void> {
    const { bus, clock } = this.#options;
    const { signal } = this.#life;
    while (!signal.aborted) {
      await sleep(clock, REREAD_MS, signal);
      if (signal.aborted || bus.state !== 'synced') continue;
      this.#watch[Symbol.dispose]();
      this.#watch = this.store.watch((event) => this.#hear(event));
    }
  }

  #hear(event: ReplicaEvent<RegistryValue>): void {
    // Before the replica may become what must not be served yet.
    if (event.type === 'content' || isAboutSeed(event)) void this.served;
    this.#replica.apply(event);
    this.#judge(false);
    this.#waiting.look();
  }

  #judge(isOverdue: boolean): void {
    const { clock } = this.#options;
    const { entries, revision, epoch } = this.#replica;
    const entry = entries.get(SEED_KEY);
    const seed = entry?.value.kind === 'seed' ? { value: entry.value.seed, revision: entry.revision } : null;
    const isNew = epoch !== this.#epoch;
    const found = { seed, isEmpty: entries.size === 0, revision, isNew };
    const decision = decide(found, this.#claim());
    if (seed !== null) this.#filler.heard(seed.revision);
    this.#overdue?.cancel();
    this.#overdue = null;
    if (decision === 'serve') {
      this.#serve(isNew);
      return;
    }
    this.#isOpen = false;
    this.#overdue = clock.after(FILL_SILENCE_MS_MAX, () => this.#judge(true));
    if (decision === 'fill' || isOverdue) {
      void this.#filler.fill(this.served, this.#claim(), seed?.revision ?? null);
    }
  }

  /** What this instance knows, should the registry have to be filled. */
  #claim(): Claim {
    const { seed, revision } = this.#served;
    return this.#epoch === null ? CLAIM_OF_FILE : claimAfter(seed, revision);
  }

  #serve(isNew: boolean): void {
    const { configured, file, log } = this.#options;
    const isFirst = this.#epoch === null;
    const before = this.#served;
    this.#epoch = this.#replica.epoch;
    this.#isOpen = true;
    this.#isStale = true;
    if (isNew && (this.#isGivenUp || !isFirst)) {
      log.info({ upstreams: this.served.upstreams.size }, 'registry: served from now on');
    }
    if (isFirst) warnIfFileDiffers(planOf(this.served, configured), file, log);
    else if (isNew) warnIfLost(planBetween(before.records, this.served.records), log);
    this.onChange();
  }
}

function isAboutSeed(event: Exclude<ReplicaEvent<RegistryValue>, { type: 'content' }>): boolean {
  return (event.type === 'put' ? event.item.key : event.key) === SEED_KEY;
}
