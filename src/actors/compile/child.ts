import type { RunningActor } from './actor.ts';
import type { Effect, Holding } from './effects.ts';
import type { Invocation, MachineEvent } from './program.ts';

/** One run of an invoked step. */
export class Child implements Holding {
  next: Effect | null = null;
  readonly #actor: RunningActor;
  readonly #invocation: Invocation;
  readonly #input: unknown;
  #phase: 'waiting' | 'running' | 'leaving' | 'stopped' | 'failed' = 'waiting';
  #stop: unknown = undefined;

  constructor(actor: RunningActor, invocation: Invocation, input: unknown) {
    this.#actor = actor;
    this.#invocation = invocation;
    this.#input = input;
  }

  settle(): void {
    if (this.#phase === 'waiting') this.#start();
    else if (this.#phase === 'leaving') this.#halt();
  }

  leave(): void {
    if (this.#phase === 'waiting') this.#phase = 'stopped';
    if (this.#phase !== 'running') return;
    this.#phase = 'leaving';
    this.#actor.postpone(this);
  }

  end(): void {
    if (this.#phase === 'waiting') this.#phase = 'stopped';
    if (this.#phase === 'running' || this.#phase === 'leaving') this.#halt();
  }

  #start(): void {
    this.#phase = 'running';
    const tell = (event: MachineEvent) => {
      if (this.#phase !== 'stopped') this.#actor.send(event);
    };
    try {
      this.#stop = this.#invocation.run(this.#input, tell);
    } catch (error) {
      this.#actor.stepThrew(error);
      this.#fail(error);
    }
  }

  #halt(): void {
    try {
      (this.#stop as (() => void) | undefined)?.();
      this.#phase = 'stopped';
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#phase = 'failed';
    const { id, errorType } = this.#invocation;
    this.#actor.send({ type: errorType, error, actorId: id } as MachineEvent);
  }
}
