import type { RunningActor } from './actor.ts';
import { Confined } from './args.ts';
import type { Effect, Holding } from './effects.ts';
import type { MachineEvent } from './program.ts';

/** An invoked step, as the chart has it. */
export type Invocation = {
  readonly id: string;
  readonly callback: (child: Child) => unknown;
};

/** One run of an invoked step; also what its callback is called with. */
export class Child extends Confined implements Holding {
  next: Effect | null = null;
  readonly input: unknown;
  readonly #actor: RunningActor;
  readonly #invocation: Invocation;
  #phase: 'waiting' | 'running' | 'leaving' | 'stopped' | 'failed' = 'waiting';
  #stop: unknown = undefined;

  constructor(actor: RunningActor, invocation: Invocation, input: unknown) {
    super();
    this.input = input;
    this.#actor = actor;
    this.#invocation = invocation;
  }

  /** Tells the machine an event, until the step has stopped. */
  get sendBack(): (event: MachineEvent) => void {
    return (event) => {
      if (this.#phase !== 'stopped') this.#actor.send(event);
    };
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
    try {
      this.#stop = this.#invocation.callback(this);
    } catch (error) {
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
    this.#actor.childFailed(this.#invocation.id, error);
  }
}
