import type { Bus } from '#bus/contract.ts';
import { Agreement, type AgreementCounts, type News } from '#core/agreement/agreement.ts';
import { NO_OPINION, type Opinion } from '#core/agreement/opinion.ts';
import { isAdmitted } from '#core/agreement/verdict.ts';
import type { Admission } from '#core/balance/candidates.ts';
import type { Clock, Timer } from '#core/clock.ts';
import type { MembershipView, MemberView, RegistryReport } from '#core/cluster-view.ts';
import { formatEndpoint } from '#core/endpoint.ts';
import type { HealthView, UpstreamHealth } from '#core/health-view.ts';
import type { FailureKind } from '#core/outcome.ts';
import type { Random } from '#core/random.ts';
import { placeIdOf } from '#core/registry/record.ts';
import type { Pool, Table, Upstream } from '#core/table.ts';
import type { Log } from '#telemetry/log.ts';
import { noteInSpan } from '#telemetry/traces/bus-spans.ts';
import { FirstRound } from './first-round.ts';
import { healthOf } from './health-of.ts';
import { Heartbeats } from './heartbeats.ts';
import { WatchMaker } from './watch-maker.ts';
import type { Watched, WatchPlan } from './watched.ts';

/** How often it looks for what has become too old. */
const SWEEP_MS = 250;

const REASONS = {
  '5xx': 'server errors in a row',
  gateway_failure: 'no good answers in a row',
} as const satisfies Record<Exclude<FailureKind, 'unreachable'>, string>;

/** Shown in place of the opinion that an upstream is up, to which no worker could connect a moment ago. */
const AVOIDED: Opinion = { verdict: 'down', reason: 'connection failed' };

/** Where workers read what they are told of upstreams. */
export type HealthCells = {
  readonly admission: {
    admit(slot: number, admission: Admission, nowMs: number): void;
    isAvoided(slot: number, nowMs: number): boolean;
  };
  readonly outcomes: { forget(slot: number): void };
};

export type HealthOptions = {
  readonly bus: Bus;
  /** Own id. */
  readonly instance: string;
  /** Of the program. */
  readonly version: string;
  /** Instances that probe each upstream, if there are as many. */
  readonly observers: number;
  readonly report: () => RegistryReport;
  readonly cells: HealthCells;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
};

/**
 * Which upstreams the workers of this instance send requests to: what it finds out by itself, what others say
 * who share its bus, and what they conclude together. Without a bus, or cut off from it, it goes by its own
 * opinion alone.
 */
export class Health implements HealthView, MembershipView, Disposable {
  readonly #options: HealthOptions;
  readonly #agreement: Agreement;
  readonly #heartbeats: Heartbeats;
  readonly #maker: WatchMaker;
  readonly #watched = new Map<string, Watched>();
  readonly #bySlot = new Map<number, Watched>();
  readonly #firstRound: FirstRound;
  #sweep: Timer | null = null;

  constructor(options: HealthOptions) {
    const { bus, instance, version, observers, report, clock, random, log } = options;
    this.#options = options;
    this.#agreement = new Agreement(instance, observers);
    this.#maker = new WatchMaker(clock, random, log);
    this.#firstRound = new FirstRound(clock);
    this.#heartbeats = new Heartbeats({
      bus,
      instance,
      version,
      report,
      opinions: (upstreams) => this.#agreement.ownOpinions(upstreams),
      heard: (word) => this.#heed(this.#agreement.hear(word, clock.monotonicMs())),
      clock,
      log,
    });
    this.#heartbeats.beat();
    this.#keepSweeping();
  }

  /** Watches the upstreams of this table from now on. Before workers serve from it: what is new is out at first. */
  watch({ pools }: Pick<Table, 'pools'>): void {
    const plans = new Map(Object.values(pools).flatMap((pool) => plansOf(pool)));
    for (const [id, watched] of this.#watched) if (!plans.has(id)) this.#drop(id, watched);
    for (const [id, plan] of plans) this.#adopt(id, plan);
  }

  /** Resolves when something is known of every upstream, or after a while. */
  settled(signal: AbortSignal): Promise<void> {
    return this.#firstRound.ended(signal);
  }

  /** Says everything at once: those who could not hear it now can. */
  resync(): void {
    this.#heartbeats.beat();
  }

  /** What workers notice of the slot's upstream. */
  onFailing(slot: number, kind: FailureKind): void {
    const watched = this.#bySlot.get(slot);
    if (watched === undefined) return;
    if (kind === 'unreachable') watched.connectFailed();
    else watched.requestsFailed(REASONS[kind], this.#mayEject(watched.plan));
  }

  of(upstream: Upstream): UpstreamHealth {
    const { instance, clock, cells } = this.#options;
    const nowMs = clock.monotonicMs();
    const id = placeIdOf(upstream);
    // What nobody probes is known by its requests alone.
    const isAvoided = cells.admission.isAvoided(upstream.slot, nowMs);
    const own = isAvoided ? AVOIDED : (this.#agreement.own(id) ?? NO_OPINION);
    return healthOf({ instance, own, votes: this.#agreement.votes(id), nowMs });
  }

  others(): readonly MemberView[] {
    return this.#agreement.members(this.#options.clock.monotonicMs());
  }

  /** Heartbeats that were heard, and those that changed nothing, by reason. */
  get counts(): AgreementCounts & { readonly rejected: number } {
    const rejects = Object.values(this.#heartbeats.rejects);
    return { ...this.#agreement.counts, rejected: rejects.reduce((sum, count) => sum + count, 0) };
  }

  /** The instance leaves the cluster. */
  [Symbol.dispose](): void {
    this.#sweep?.cancel();
    this.#heartbeats[Symbol.dispose]();
    for (const [id, watched] of this.#watched) this.#part(id, watched);
  }

  // -- upstreams that come and go ------------------------------------------------------------------------

  #adopt(id: string, plan: WatchPlan): void {
    const known = this.#watched.get(id);
    if (known !== undefined && isWatchedAlike(known.plan, plan)) known.update(plan);
    else this.#begin(id, plan, known);
    const watched = this.#watched.get(id);
    if (watched !== undefined) this.#assign(id, watched);
  }

  #begin(id: string, plan: WatchPlan, known: Watched | undefined): void {
    if (known !== undefined) this.#part(id, known);
    const { slot } = plan.upstream;
    const isAtFirst = plan.check?.isUpAtFirst ?? true;
    const isAdmitted = known?.plan.upstream.slot === slot ? known.isAdmitted : isAtFirst;
    const watched = this.#maker.make(plan, isAdmitted, () => this.#review(id));
    this.#watched.set(id, watched);
    this.#bySlot.set(slot, watched);
    this.#agreement.follow(id);
    if (plan.check !== null && plan.upstream.state !== 'maintenance') this.#firstRound.await(id);
    this.#tellWorkers(slot, isAdmitted);
    watched.update(plan);
    this.#review(id);
  }

  #drop(id: string, watched: Watched): void {
    this.#part(id, watched);
    this.#agreement.unfollow(id);
    this.#firstRound.settle(id);
  }

  /** Out of the lists first: nothing follows from how it ends. */
  #part(id: string, watched: Watched): void {
    const { slot } = watched.plan.upstream;
    this.#watched.delete(id);
    if (this.#bySlot.get(slot) === watched) this.#bySlot.delete(slot);
    watched.end();
  }

  // -- opinions and verdicts -----------------------------------------------------------------------------

  #heed({ hasJoined, hasLeft, upstreams }: News): void {
    if (hasJoined) this.#heartbeats.greet();
    if (hasJoined || hasLeft) for (const [id, watched] of this.#watched) this.#assign(id, watched);
    for (const id of upstreams) this.#review(id);
  }

  #assign(id: string, watched: Watched): void {
    const isInService = watched.plan.upstream.state !== 'maintenance';
    watched.assign(isInService && this.#agreement.isObserver(id));
  }

  /** Draws the conclusions of whatever has changed about an upstream. */
  #review(id: string): void {
    const watched = this.#watched.get(id);
    if (watched === undefined) return;
    const { opinion } = watched;
    const before = this.#agreement.own(id)?.verdict ?? 'unknown';
    this.#agreement.say(id, opinion);
    if (opinion.verdict !== before) this.#heartbeats.hurry(id, before !== 'unknown');

    const verdict = this.#agreement.verdict(id);
    if (verdict !== 'unknown') this.#firstRound.settle(id);
    const isOut = watched.plan.upstream.state === 'maintenance';
    const isUp = isOut ? watched.isUpAtFirst : isAdmitted(opinion.verdict, verdict, watched.isAdmitted);
    if (isUp !== watched.isAdmitted) {
      watched.isAdmitted = isUp;
      this.#tellWorkers(watched.plan.upstream.slot, isUp);
    }
    if (!isOut && verdict !== 'unknown') this.#logTurn(watched, opinion.reason);
  }

  #tellWorkers(slot: number, isUp: boolean): void {
    const { cells, clock } = this.#options;
    cells.admission.admit(slot, isUp ? 'up' : 'down', clock.monotonicMs());
    // Failures from before say nothing of an upstream that begins anew.
    if (isUp) cells.outcomes.forget(slot);
  }

  #logTurn(watched: Watched, ownReason: string): void {
    const isDown = !watched.isAdmitted;
    if (isDown === watched.isLoggedDown) return;
    watched.isLoggedDown = isDown;
    const { pool, name } = watched.plan.upstream;
    const about = { pool, upstream: name, address: formatEndpoint(watched.plan.upstream) };
    const { log } = this.#options;
    noteInSpan(isDown ? 'upstream is down' : 'upstream is up', about);
    if (!isDown) log.info(about, 'upstream is up');
    else log.warn({ ...about, reason: ownReason || 'most say so' }, 'upstream is down');
  }

  /** Whether the pool can spare one more: of so many, some may be out for the requests that they failed. */
  #mayEject({ upstream, ejection }: WatchPlan): boolean {
    let size = 0;
    let banned = 0;
    for (const { plan, isBanned } of this.#watched.values()) {
      if (plan.upstream.pool !== upstream.pool) continue;
      size++;
      if (isBanned) banned++;
    }
    return banned < Math.max(1, Math.floor(size * ejection.shareMax));
  }

  #keepSweeping(): void {
    const { clock, report } = this.#options;
    this.#sweep = clock.after(SWEEP_MS, () => this.#keepSweeping());
    this.#agreement.noteRevision(report().revision);
    this.#heed(this.#agreement.expire(clock.monotonicMs()));
  }
}

function plansOf({ upstreams, healthCheck, ejection }: Pool): [string, WatchPlan][] {
  return upstreams.map((upstream) => [placeIdOf(upstream), { upstream, check: healthCheck, ejection }]);
}

/** Whether the machines of one do for the other. */
function isWatchedAlike(a: WatchPlan, b: WatchPlan): boolean {
  const matterOf = ({ upstream: { slot, tls, host }, check, ejection }: WatchPlan) =>
    JSON.stringify([slot, tls, host, check, ejection]);
  return matterOf(a) === matterOf(b);
}
