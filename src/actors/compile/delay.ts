import type { Timer } from '#core/clock.ts';
import type { RunningActor } from './actor.ts';
import type { Effect, Holding } from './effects.ts';
import type { MachineEvent } from './program.ts';

/** `after` of one state, while the state is active. */
export class Delay implements Holding {
  next: Effect | null = null;
  readonly #actor: RunningActor;
  readonly #delayMs: number;
  readonly #event: MachineEvent;
  #isLeft = false;
  #timer: Timer | null = null;

  constructor(actor: RunningActor, delayMs: number, event: MachineEvent) {
    this.#actor = actor;
    this.#delayMs = delayMs;
    this.#event = event;
  }

  settle(): void {
    if (this.#isLeft) return;
    this.#timer = this.#actor.clock.after(this.#delayMs, () => this.#actor.send(this.#event));
  }

  leave(): void {
    this.#isLeft = true;
    this.#timer?.cancel();
  }

  end(): void {
    this.leave();
  }
}
