import { type EventObject, fromCallback } from 'xstate';
import type { RequestSteps, Step } from './steps.ts';

/** A step as XState runs it: a callback actor, which may send its outcome while it starts. */
function actorOf<Input, Outcome extends EventObject>(step: Step<Input, Outcome>) {
  return fromCallback<EventObject, Input>(({ input, sendBack }) => step(input, sendBack));
}

/** The request machine's actors, made from the steps that do their work. */
export function requestActors(steps: RequestSteps) {
  return {
    authenticate: actorOf(steps.authenticate),
    limit: actorOf(steps.limit),
    select: actorOf(steps.select),
    forward: actorOf(steps.forward),
    weigh: actorOf(steps.weigh),
    respond: actorOf(steps.respond),
    refuse: actorOf(steps.refuse),
  };
}

function unprovided(): never {
  throw new Error('The request machine was started without its steps; provide them first.');
}

/** What the bare machine holds: it can be drawn and explored, not run. */
export const unprovidedSteps: RequestSteps = {
  authenticate: unprovided,
  limit: unprovided,
  select: unprovided,
  forward: unprovided,
  weigh: unprovided,
  respond: unprovided,
  refuse: unprovided,
};
