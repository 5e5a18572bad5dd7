import { compile } from '#actors/compile/compile.ts';
import { healthCheckActors, healthCheckMachine } from '#actors/health-check/machine.ts';
import { upstreamMachine } from '#actors/upstream/machine.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { integerBelow, type Random } from '#core/random.ts';
import type { Log } from '#telemetry/log.ts';
import { probeStep } from './probe-step.ts';
import { type CheckActor, type UpstreamActor, Watched, type WatchPlan } from './watched.ts';

/** Places in the jitter that checks are spread over. */
const PHASES = 1024;

/** Sets up the machines of upstreams. They run compiled: a thousand of them are probed by one thread. */
export class WatchMaker {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  readonly #upstreams = compile(upstreamMachine);
  readonly #checks;

  constructor(clock: Clock, random: Random, log: Log) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
    const actors = healthCheckActors({ probe: probeStep(clock) });
    this.#checks = compile(healthCheckMachine.provide({ actors }));
  }

  /** `changed` is called whenever the machine of the upstream has moved. */
  make(plan: WatchPlan, isAdmitted: boolean, changed: () => void): Watched {
    const watched: Watched = new Watched(
      plan,
      isAdmitted,
      this.#concluding(plan, changed),
      this.#checking(plan, (actor) => watched.heed(actor.context.tally)),
    );
    return watched;
  }

  #concluding({ ejection, check }: WatchPlan, changed: () => void): UpstreamActor {
    return this.#upstreams.createActor({
      input: { ejection, isChecked: check !== null },
      clock: this.#clock,
      onDone: () => {},
      onError: (error) => this.#report(error),
      onTransition: changed,
    });
  }

  #checking({ check, upstream }: WatchPlan, probed: (actor: CheckActor) => void): CheckActor | null {
    if (check === null) return null;
    const actor = this.#checks.createActor({
      input: { target: { upstream, check }, phase: integerBelow(this.#random, PHASES) / PHASES },
      clock: this.#clock,
      onDone: () => {},
      onError: (error) => this.#report(error),
      onTransition: (from, _, { type }) => {
        // A probe that was voided says nothing.
        if (from === 'onDuty.checking.probing' && type !== 'probe.voided' && type !== 'duty.taken')
          probed(actor);
      },
    });
    return actor;
  }

  #report(error: unknown): void {
    this.#log.error(
      { err: error },
      'health: a machine has failed by a mistake in Signalbox: %s',
      messageOf(error),
    );
  }
}
