import { createActor, type SnapshotFrom, type StateValue } from 'xstate';
import type { Clock } from '#core/clock.ts';
import {
  type CompiledActor,
  type CompiledActorOptions,
  type CompiledMachine,
  compile,
} from '../compile/compile.ts';
import type { Step } from '../step.ts';
import { xstateClock } from '../xstate-clock.ts';
import { requestActors } from './actors.ts';
import type { Exchange } from './exchange.ts';
import { type RequestContext, requestMachine } from './machine.ts';
import { stateNumber } from './states.ts';
import type { RequestEvent, RequestSteps } from './steps.ts';

/** How a request can end: the final states of its machine, or a machine that failed itself. */
export type Outcome = 'responded' | 'refused' | 'truncated' | 'abandoned' | 'crashed';

/** Who is told exactly once how an exchange has ended. */
export type Ending = { ended(outcome: Outcome): void };

/** Runs one exchange to its end. */
export type RunRequest = (exchange: Exchange, ending: Ending) => void;

/** What the machine does: the innermost state that it is in now, by its number, and the event that led there. */
export type ObserveTransition = (exchange: Exchange, state: number, event: RequestEvent | Began) => void;

/** Leads to the state that a request begins in. */
export type Began = { readonly type: 'xstate.init' };

/**
 * `report` hears of what a step, or the machine itself, threw: mistakes of ours. `observe` sees each state
 * before its step begins. Neither may throw.
 */
export type CreateRunner = (
  steps: RequestSteps,
  clock: Clock,
  report: (error: unknown) => void,
  observe: ObserveTransition,
) => RunRequest;

const BEGAN: Began = { type: 'xstate.init' };
const LEFT = { type: 'client.left' } as const;

/** Runs the chart as compiled once from the machine. */
export const createCompiledRunner: CreateRunner = (steps, clock, report, observe) => {
  const machine = compile(requestMachine.provide({ actors: requestActors(steps) }));
  const world = { clock, report, observe };

  return (exchange, ending) => new CompiledRun(machine, world, exchange, ending).begin();
};

type Machine = typeof requestMachine;

type World = {
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
  readonly observe: ObserveTransition;
};

/** What the compiled machine is told of one exchange, and tells of it: one object, as there is one for each request. */
class CompiledRun implements CompiledActorOptions<Machine> {
  readonly input: { readonly exchange: Exchange };
  readonly clock: Clock;
  readonly #world: World;
  readonly #ending: Ending;
  readonly #actor: CompiledActor<Machine>;

  constructor(machine: CompiledMachine<Machine>, world: World, exchange: Exchange, ending: Ending) {
    this.input = { exchange };
    this.clock = world.clock;
    this.#world = world;
    this.#ending = ending;
    this.#actor = machine.createActor(this);
  }

  begin(): void {
    const { exchange } = this.input;
    exchange.reply.onLeft(() => this.#actor.send(LEFT));
    this.#world.observe(exchange, this.#actor.stateNumber, BEGAN);
    this.#actor.start();
  }

  onTransition(_from: string, _to: string, event: RequestEvent): void {
    this.#world.observe(this.input.exchange, this.#actor.stateNumber, event);
  }

  onStepError(error: unknown): void {
    this.#world.report(error);
  }

  onDone(): void {
    end(this.#actor.context, this.#actor.state as Outcome, this.#ending);
  }

  onError(error: unknown): void {
    this.#world.report(error);
    this.input.exchange.reply.cut();
    end(this.#actor.context, 'crashed', this.#ending);
  }
}

/** Runs the same chart under XState's own interpreter: far slower, and open to XState's inspection. */
export const createXstateRunner: CreateRunner = (steps, clock, report, observe) => {
  const machine = requestMachine.provide({ actors: requestActors(watched(steps, report)) });
  const timers = xstateClock(clock);

  return (exchange, ending) => {
    const actor = createActor(machine, {
      input: { exchange },
      clock: timers,
      inspect: (inspected) => {
        if (inspected.type !== '@xstate.microstep' || inspected.actorRef !== actor) return;
        const { value } = inspected.snapshot as SnapshotFrom<typeof machine>;
        observe(exchange, stateNumber(pathOf(value)), inspected.event as RequestEvent);
      },
    });
    const contextOf = () => actor.getSnapshot().context;
    actor.subscribe({
      complete: () => end(contextOf(), actor.getSnapshot().value as Outcome, ending),
      error: (error) => {
        report(error);
        exchange.reply.cut();
        end(contextOf(), 'crashed', ending);
      },
    });
    exchange.reply.onLeft(() => actor.send(LEFT));
    observe(exchange, stateNumber(pathOf(actor.getSnapshot().value)), BEGAN);
    actor.start();
  };
};

export const RUNNERS = { compiled: createCompiledRunner, xstate: createXstateRunner } as const;

/** `{ seeking: 'limiting' }` as `seeking.limiting`. */
function pathOf(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([state, inner]) => (inner === undefined ? state : `${state}.${pathOf(inner)}`))
    .join();
}

function end(context: RequestContext, outcome: Outcome, ending: Ending): void {
  // An answer that was let go of on the way here must not hold its connection.
  if (context.last.kind === 'answered') context.last.answer.release();
  ending.ended(outcome);
}

/** The same steps, whose exceptions are heard of before the machine takes its edge for them. */
function watched(steps: RequestSteps, report: (error: unknown) => void): RequestSteps {
  const watch =
    <Input, Outcome>(step: Step<Input, Outcome>): Step<Input, Outcome> =>
    (input, machine) => {
      try {
        return step(input, machine);
      } catch (error) {
        report(error);
        throw error;
      }
    };
  return {
    authenticate: watch(steps.authenticate),
    limit: watch(steps.limit),
    receive: watch(steps.receive),
    select: watch(steps.select),
    forward: watch(steps.forward),
    weigh: watch(steps.weigh),
    respond: watch(steps.respond),
    refuse: watch(steps.refuse),
  };
}
