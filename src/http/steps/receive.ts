import type { RequestSteps } from '#actors/request/steps.ts';
import type { Clock } from '#core/clock.ts';
import { codeOf } from '#core/errors.ts';
import { clientsFault } from '../attempt-failure.ts';

/**
 * How long a body is waited for whose length is not declared. It may go on for as long as both sides talk, and the
 * client may wait for an answer before it says more.
 */
export const UNDECLARED_MS = 100;

const RECEIVED = { type: 'body.received' } as const;

/** The request machine's step `receive`: a first part of the body, before the request takes anything of an upstream. */
export function receiveStep(clock: Clock): RequestSteps['receive'] {
  return ({ exchange: { body } }, machine) => {
    let isOver = false;
    const leave = body.receive((error) => {
      isOver = true;
      if (error === null) machine.tell(RECEIVED);
      else
        machine.tell({
          type: 'request.refused',
          refusal: { cause: clientsFault(codeOf(error)) ?? 'internal' },
        });
    });
    if (isOver || body.isDeclared) return { stop: leave };
    const timer = clock.after(UNDECLARED_MS, () => {
      leave();
      machine.tell(RECEIVED);
    });
    return {
      stop() {
        timer.cancel();
        leave();
      },
    };
  };
}
