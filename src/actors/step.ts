/**
 * The seam between a machine and the world. The machine decides; a step does, and tells the
 * machine what came of it. A step may tell its outcome before it returns, and the machine that runs it
 * must not care: that is what lets a request pass without a promise where the answer is known.
 */
import { type EventObject, fromCallback } from 'xstate';

/** The machine, as one run of a step sees it. Objects, here and in `Work`: a closure for each is more to make. */
export interface Listener<Outcome> {
  /** What is told once the step was stopped is ignored. */
  tell(outcome: Outcome): void;
}

/** Runs until it has told its outcome, or until what it returns is stopped because the machine moved on. */
export type Step<Input, Outcome> = (input: Input, machine: Listener<Outcome>) => Work | undefined;

/** What a step still has under way. */
export interface Work {
  /** Called exactly once when the machine leaves the state; frees what the step still holds. */
  stop(): void;
}

/**
 * A step as XState runs it: a callback actor, which may send its outcome while it starts. A compiled machine runs the
 * step itself.
 */
export function actorOf<Input, Outcome extends EventObject>(step: Step<Input, Outcome>) {
  const logic = fromCallback<EventObject, Input>(({ input, sendBack }) => {
    const work = step(input, { tell: sendBack });
    return work && (() => work.stop());
  });
  return Object.assign(logic, { step });
}

/** In place of the steps of a bare machine, which can be drawn and explored, not run. */
export function unprovided(): never {
  throw new Error('The machine was started without its steps; provide them first.');
}
