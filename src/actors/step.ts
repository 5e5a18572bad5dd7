/**
 * The seam between a machine and the world. The machine decides; a step does, and tells the
 * machine what came of it. A step may tell its outcome before it returns, and the machine that runs it
 * must not care: that is what lets a request pass without a promise where the answer is known.
 */
import { type EventObject, fromCallback } from 'xstate';

/** Runs until it has told its outcome, or until `Stop` is called because the machine moved on. */
export type Step<Input, Outcome> = (input: Input, tell: (outcome: Outcome) => void) => Stop | undefined;

/** Called exactly once when the machine leaves the state; frees what the step still holds. */
export type Stop = () => void;

/**
 * A step as XState runs it: a callback actor, which may send its outcome while it starts. A compiled machine runs the
 * step itself.
 */
export function actorOf<Input, Outcome extends EventObject>(step: Step<Input, Outcome>) {
  const logic = fromCallback<EventObject, Input>(({ input, sendBack }) => step(input, sendBack));
  return Object.assign(logic, { step });
}

/** In place of the steps of a bare machine, which can be drawn and explored, not run. */
export function unprovided(): never {
  throw new Error('The machine was started without its steps; provide them first.');
}
