import { actorOf, unprovided } from '../step.ts';
import type { RequestSteps } from './steps.ts';

/** The request machine's actors, made from the steps that do their work. */
export function requestActors(steps: RequestSteps) {
  return {
    authenticate: actorOf(steps.authenticate),
    limit: actorOf(steps.limit),
    receive: actorOf(steps.receive),
    select: actorOf(steps.select),
    forward: actorOf(steps.forward),
    weigh: actorOf(steps.weigh),
    respond: actorOf(steps.respond),
    refuse: actorOf(steps.refuse),
  };
}

/** What the bare machine holds: it can be drawn and explored, not run. */
export const unprovidedSteps: RequestSteps = {
  authenticate: unprovided,
  limit: unprovided,
  receive: unprovided,
  select: unprovided,
  forward: unprovided,
  weigh: unprovided,
  respond: unprovided,
  refuse: unprovided,
};
