import type { Sleeper, Timer } from '#core/clock.ts';
import type { RunningActor } from './actor.ts';
import type { Holding } from './effects.ts';
import type { MachineEvent } from './program.ts';

/** `after` of one state, while the state is active. */
export class Delay implements Holding, Sleeper {
  readonly #actor: RunningActor;
  readonly #delayMs: number;
  readonly #event: MachineEvent;
  #timer: Timer | null = null;

  constructor(actor: RunningActor, delayMs: number, event: MachineEvent) {
    this.#actor = actor;
    this.#delayMs = delayMs;
    this.#event = event;
  }

  get isStarted(): boolean {
    return this.#timer !== null;
  }

  start(): void {
    this.#timer = this.#actor.clock.wakeAfter(this.#delayMs, this);
  }

  wake(): void {
    this.#actor.send(this.#event);
  }

  halt(): void {
    this.#timer?.cancel();
  }
}
