import { createActor } from 'xstate';
import type { Clock } from '#core/clock.ts';
import type { Exchange } from '#http/exchange.ts';
import { compile } from '../compile/compile.ts';
import { xstateClock } from '../xstate-clock.ts';
import { requestActors } from './actors.ts';
import { type RequestContext, requestMachine } from './machine.ts';
import type { RequestSteps, Step } from './steps.ts';

/** How a request can end: the final states of its machine, or a machine that failed itself. */
export type Outcome = 'responded' | 'refused' | 'truncated' | 'abandoned' | 'crashed';

/** Runs one exchange to its end; `ended` is called exactly once. */
export type RunRequest = (exchange: Exchange, ended: (outcome: Outcome) => void) => void;

/** `report` hears of what a step, or the machine itself, threw: mistakes of ours. */
export type CreateRunner = (
  steps: RequestSteps,
  clock: Clock,
  report: (error: unknown) => void,
) => RunRequest;

/** Runs the chart as compiled once from the machine. */
export const createCompiledRunner: CreateRunner = (steps, clock, report) => {
  const machine = compile(requestMachine.provide({ actors: requestActors(watched(steps, report)) }));

  return (exchange, ended) => {
    const actor = machine.createActor({
      input: { exchange },
      clock,
      onDone: () => end(actor.context, actor.state as Outcome, ended),
      onError: (error) => {
        report(error);
        exchange.reply.cut();
        end(actor.context, 'crashed', ended);
      },
    });
    exchange.reply.onLeft(() => actor.send({ type: 'client.left' }));
    actor.start();
  };
};

/** Runs the same chart under XState's own interpreter: far slower, and open to XState's inspection. */
export const createXstateRunner: CreateRunner = (steps, clock, report) => {
  const machine = requestMachine.provide({ actors: requestActors(watched(steps, report)) });
  const timers = xstateClock(clock);

  return (exchange, ended) => {
    const actor = createActor(machine, { input: { exchange }, clock: timers });
    const contextOf = () => actor.getSnapshot().context;
    actor.subscribe({
      complete: () => end(contextOf(), actor.getSnapshot().value as Outcome, ended),
      error: (error) => {
        report(error);
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

/** The same steps, whose exceptions are heard of before the machine takes its edge for them. */
function watched(steps: RequestSteps, report: (error: unknown) => void): RequestSteps {
  const watch =
    <Input, Outcome>(step: Step<Input, Outcome>): Step<Input, Outcome> =>
    (input, tell) => {
      try {
        return step(input, tell);
      } catch (error) {
        report(error);
        throw error;
      }
    };
  return {
    authenticate: watch(steps.authenticate),
    limit: watch(steps.limit),
    select: watch(steps.select),
    forward: watch(steps.forward),
    weigh: watch(steps.weigh),
    respond: watch(steps.respond),
    refuse: watch(steps.refuse),
  };
}
