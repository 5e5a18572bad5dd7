import type { CompiledActor } from '#actors/compile/compile.ts';
import type { healthCheckMachine } from '#actors/health-check/machine.ts';
import type { upstreamMachine } from '#actors/upstream/machine.ts';
import { opinionOf } from '#actors/upstream/opinion.ts';
import type { Opinion } from '#core/agreement/opinion.ts';
import type { Ejection, HealthCheck } from '#core/health/check.ts';
import type { Tally } from '#core/health/tally.ts';
import type { Upstream, UpstreamState } from '#core/table.ts';

export type CheckActor = CompiledActor<typeof healthCheckMachine>;
export type UpstreamActor = CompiledActor<typeof upstreamMachine>;

/** An upstream, and how it is watched. */
export type WatchPlan = {
  readonly upstream: Upstream;
  readonly check: HealthCheck | null;
  readonly ejection: Ejection;
};

const ASKED = {
  ready: { type: 'ready.asked' },
  drain: { type: 'drain.asked' },
  maintenance: { type: 'maintenance.asked' },
} as const satisfies Record<UpstreamState, { type: string }>;

/** One upstream with its two machines: what its checks find is told to the one that concludes from it. */
export class Watched {
  plan: WatchPlan;
  /** What workers were told last. */
  isAdmitted: boolean;
  /** Whether it was logged as down, and has not come up since. */
  isLoggedDown = false;
  readonly #concludes: UpstreamActor;
  readonly #checks: CheckActor | null;
  #isOnDuty = false;

  constructor(plan: WatchPlan, isAdmitted: boolean, concludes: UpstreamActor, checks: CheckActor | null) {
    this.plan = plan;
    this.isAdmitted = isAdmitted;
    this.#concludes = concludes;
    this.#checks = checks;
    concludes.start();
    checks?.start();
  }

  get opinion(): Opinion {
    return opinionOf(this.#concludes.state, this.#concludes.context);
  }

  get isBanned(): boolean {
    return this.#concludes.state === 'ready.ejected.banned';
  }

  /** Whether it serves as long as nothing is known of it. */
  get isUpAtFirst(): boolean {
    return this.plan.check?.isUpAtFirst ?? true;
  }

  /** Takes note of what may change of an upstream while it is watched on. */
  update(plan: WatchPlan): void {
    this.plan = plan;
    this.#concludes.send(ASKED[plan.upstream.state]);
  }

  /** Whether it is this instance that checks it. */
  assign(isOnDuty: boolean): void {
    if (this.#checks === null || isOnDuty === this.#isOnDuty) return;
    this.#isOnDuty = isOnDuty;
    this.#checks.send({ type: isOnDuty ? 'duty.given' : 'duty.taken' });
    if (!isOnDuty) this.#concludes.send({ type: 'check.ended' });
  }

  /** A probe has ended, or its time has: this is what all of them amount to. */
  heed({ standing, against, reason }: Tally): void {
    if (standing === 'up') {
      this.#concludes.send(against === 0 ? { type: 'check.passed' } : { type: 'check.wavered', reason });
    } else if (standing === 'down' && against === 0) {
      this.#concludes.send({ type: 'check.failed', reason });
    }
  }

  connectFailed(): void {
    this.#checks?.send({ type: 'connect.failed' });
  }

  requestsFailed(reason: string, mayEject: boolean): void {
    this.#concludes.send({ type: 'requests.failed', reason, mayEject });
  }

  end(): void {
    this.#checks?.send({ type: 'duty.taken' });
    this.#concludes.send({ type: 'upstream.removed' });
  }
}
