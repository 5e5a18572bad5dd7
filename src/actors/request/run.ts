import { createActor } from 'xstate';
import type { Clock } from '#core/clock.ts';
import type { Exchange } from '#http/exchange.ts';
import { compile } from '../compile/compile.ts';
import { xstateClock } from '../xstate-clock.ts';
import { requestActors } from './actors.ts';
import { type RequestContext, requestMachine } from './machine.ts';
import type { RequestSteps } from './steps.ts';

/** How a request can end: the final states of its machine, or a machine that failed itself. */
export type Outcome = 'responded' | 'refused' | 'truncated' | 'abandoned' | 'crashed';

/** Runs one exchange to its end; `ended` is called exactly once. */
export type RunRequest = (exchange: Exchange, ended: (outcome: Outcome) => void) => void;

export type CreateRunner = (steps: RequestSteps, clock: Clock) => RunRequest;

/** Runs the chart as compiled once from the machine. */
export const createCompiledRunner: CreateRunner = (steps, clock) => {
  const machine = compile(requestMachine.provide({ actors: requestActors(steps) }));

  return (exchange, ended) => {
    const actor = machine.createActor({
      input: { exchange },
      clock,
      onDone: () => end(actor.context, actor.state as Outcome, ended),
      onError: () => {
        exchange.reply.cut();
        end(actor.context, 'crashed', ended);
      },
    });
    exchange.reply.onLeft(() => actor.send({ type: 'client.left' }));
    actor.start();
  };
};

/** Runs the same chart under XState's own interpreter: far slower, and open to XState's inspection. */
export const createXstateRunner: CreateRunner = (steps, clock) => {
  const machine = requestMachine.provide({ actors: requestActors(steps) });
  const timers = xstateClock(clock);

  return (exchange, ended) => {
    const actor = createActor(machine, { input: { exchange }, clock: timers });
    const contextOf = () => actor.getSnapshot().context;
    actor.subscribe({
      complete: () => end(contextOf(), actor.getSnapshot().value as Outcome, ended),
      error: () => {
        exchange.reply.cut();
        end(contextOf(), 'crashed', ended);
      },
    });
    exchange.reply.onLeft(() => actor.send({ type: 'client.left' }));
    actor.start();
  };
};

export const RUNNERS = { compiled: createCompiledRunner, xstate: createXstateRunner } as const;

function end(context: RequestContext, outcome: Outcome, ended: (outcome: Outcome) => void): void {
  // An answer that was let go of on the way here must not hold its connection.
  context.answer?.release();
  ended(outcome);
}
