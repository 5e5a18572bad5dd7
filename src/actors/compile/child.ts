import type { Listener, Work } from '../step.ts';
import type { RunningActor } from './actor.ts';
import type { Holding } from './effects.ts';
import type { Invocation, MachineEvent } from './program.ts';

/** One run of an invoked step. */
export class Child implements Holding, Listener<MachineEvent> {
  isStarted = false;
  /** What the step has under way. */
  work: Work | undefined = undefined;
  readonly #actor: RunningActor;
  readonly #invocation: Invocation;
  readonly #input: unknown;
  #isStopped = false;
  #hasFailed = false;

  constructor(actor: RunningActor, invocation: Invocation, input: unknown) {
    this.#actor = actor;
    this.#invocation = invocation;
    this.#input = input;
  }

  tell(event: MachineEvent): void {
    if (!this.#isStopped) this.#actor.send(event);
  }

  start(): void {
    this.isStarted = true;
    try {
      this.work = this.#invocation.run(this.#input, this);
    } catch (error) {
      this.threw(error);
    }
  }

  halt(): void {
    if (this.#hasFailed) return;
    try {
      this.work?.stop();
      this.#isStopped = true;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** When it was started. */
  threw(error: unknown): void {
    this.#actor.stepThrew(error);
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#hasFailed = true;
    const { id, errorType } = this.#invocation;
    this.#actor.send({ type: errorType, error, actorId: id } as MachineEvent);
  }
}
