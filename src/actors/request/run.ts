import { createActor } from 'xstate';
import type { Clock } from '#core/clock.ts';
import type { Exchange } from '#http/exchange.ts';
import { xstateClock } from '../xstate-clock.ts';
import { requestActors } from './actors.ts';
import { requestMachine } from './machine.ts';
import type { RequestSteps } from './steps.ts';

/** How a request can end: the final states of its machine, or a machine that failed itself. */
export type Outcome = 'responded' | 'refused' | 'truncated' | 'abandoned' | 'crashed';

export type RunRequest = (exchange: Exchange, ended: (outcome: Outcome) => void) => void;

/** Runs each exchange through XState's own interpreter. `ended` is called exactly once for each. */
export function createRequestRunner(steps: RequestSteps, clock: Clock): RunRequest {
  const machine = requestMachine.provide({ actors: requestActors(steps) });
  const timers = xstateClock(clock);

  return (exchange, ended) => {
    const actor = createActor(machine, { input: { exchange }, clock: timers });
    const end = (outcome: Outcome) => {
      // An answer that was let go of on the way here must not hold its connection.
      actor.getSnapshot().context.answer?.release();
      ended(outcome);
    };
    actor.subscribe({
      complete: () => end(actor.getSnapshot().value as Outcome),
      error: () => {
        exchange.reply.cut();
        end('crashed');
      },
    });
    exchange.reply.onLeft(() => actor.send({ type: 'client.left' }));
    actor.start();
  };
}
