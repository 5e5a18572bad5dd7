/** From a machine's data to XState's machine. Whatever its parts are called with goes into a journal. */
import { type AnyStateMachine, assign, createMachine, fromCallback } from 'xstate';
import type { Clock } from '#core/clock.ts';
import type {
  ActionSpec,
  DelaySpec,
  FinalSpec,
  Form,
  GuardSpec,
  MachineSpec,
  StateSpec,
  StepSpec,
  TransitionSpec,
} from './random-machine.ts';
import type { Journal } from './runtimes.ts';

/** What the steps of a run may tell and throw: two states could otherwise lead to each other for ever. */
const OUTCOMES_MAX = 40;

/** `always` transitions of a run, for the same reason. */
const ALWAYS_MAX = 40;

type Config = Record<string, unknown>;
type Tell = (event: { type: string }) => void;
type Args = { context: { n: number }; event: { type: string; n?: number } };
type Implementation = (args: Args, params: unknown) => unknown;

/** `running` is kept as the steps that would have to be stopped. */
export type World = { readonly clock: Clock; readonly journal: Journal; readonly running: Set<string> };

export function buildMachine(spec: MachineSpec, world: World): AnyStateMachine {
  return new Builder(spec, world).machine();
}

class Builder {
  readonly #spec: MachineSpec;
  readonly #world: World;
  readonly #targets: readonly string[];
  readonly #implementations = {
    actions: {} as Config,
    guards: {} as Config,
    delays: {} as Config,
    actors: {} as Config,
  };
  #names = 0;
  #outcomesLeft = OUTCOMES_MAX;
  #alwaysLeft = ALWAYS_MAX;

  constructor(spec: MachineSpec, world: World) {
    this.#spec = spec;
    this.#world = world;
    this.#targets = [...pathsOf(spec.root, '#m'), ...spec.finals.map((_, index) => `#m.f${index}`)];
  }

  machine(): AnyStateMachine {
    const { root, finals, hasOutput, context } = this.#spec;
    const { states, ...config } = this.#state(root);
    const made = ({ input }: { input: unknown }) => ({ n: 0, input });
    const all = {
      ...config,
      id: 'm',
      context: context === 'constant' ? { n: 0 } : made,
      states: { ...(states as Config), ...keyed('f', finals, (final) => this.#final(final)) },
      ...(hasOutput ? { output: this.#noting('output', ({ event }) => event) } : {}),
    };
    return createMachine(all as never, this.#implementations as never);
  }

  #state(spec: StateSpec): Config {
    const { entry, exit, on, always, after, steps, states, initialActions } = spec;
    const initial = { target: 's0', actions: this.#actions(initialActions) };
    return {
      entry: this.#actions(entry),
      exit: this.#actions(exit),
      on: Object.fromEntries(on.map(({ event, transitions }) => [event, this.#transitions(transitions)])),
      always: this.#transitions(always, () => this.#alwaysLeft-- > 0),
      after: Object.fromEntries(
        after.map((delay) => [this.#delay(delay), this.#transitions(delay.transitions)]),
      ),
      invoke: steps.map((step) => this.#step(step)),
      ...(states.length === 0 ? {} : { initial, states: keyed('s', states, (child) => this.#state(child)) }),
    };
  }

  #final({ entry, exit, hasOutput }: FinalSpec): Config {
    return {
      type: 'final',
      entry: this.#actions(entry),
      exit: this.#actions(exit),
      ...(hasOutput ? { output: ({ context, event }: Args) => [context.n, event.type] } : {}),
    };
  }

  #transitions(specs: readonly TransitionSpec[], mayGoOn = () => true): Config[] {
    return specs.map(({ target, reenter, guard, actions }) => ({
      ...(target === null ? {} : { target: this.#targets[target % this.#targets.length] }),
      ...(guard === null ? {} : { guard: this.#guard(guard, mayGoOn) }),
      reenter,
      actions: this.#actions(actions),
    }));
  }

  #guard({ asks, limit, form }: GuardSpec, mayGoOn: () => boolean): unknown {
    const answer = this.#noting(`guard ${asks} ${limit}`, ({ context, event }) => {
      if (asks === 'throws') throw new Error('boom in a guard');
      if (asks === 'below') return context.n < limit && mayGoOn();
      if (asks === 'even') return context.n % 2 === 0 && mayGoOn();
      return (asks === 'payload' ? (event.n ?? 0) < limit : event.type < 'b') && mayGoOn();
    });
    return this.#named('guards', answer, form);
  }

  #actions(specs: readonly ActionSpec[]): unknown[] {
    return specs.map(({ does, amount, form }) => {
      if (does === 'assign keys' || does === 'assign function') {
        const add = this.#noting('assign', ({ context }) => (context.n + amount) % 8);
        const assignment =
          does === 'assign keys'
            ? assign({ n: add, by: amount } as never)
            : assign(((args: Args, params: unknown) => ({ n: add(args, params) })) as never);
        return this.#named('actions', assignment, form);
      }
      const act = this.#noting(`${does} ${amount}`, () => {
        if (does === 'throws') throw new Error('boom in an action');
      });
      return this.#named('actions', act, form);
    });
  }

  #delay({ ms, form }: DelaySpec): string {
    if (form === 'number') return String(ms);
    const name = this.#name('delay');
    this.#implementations.delays[name] = form === 'named number' ? ms : this.#noting(name, () => ms);
    return name;
  }

  #step(spec: StepSpec): Config {
    const id = this.#name('step');
    const inputs = {
      none: undefined,
      constant: 7,
      function: this.#noting(`input of ${id}`, ({ context }) => context.n),
    };
    return {
      id,
      src: fromCallback(({ input, sendBack }) => this.#run(id, spec, input, sendBack)),
      input: inputs[spec.input],
      ...(spec.onError === null ? {} : { onError: this.#transitions(spec.onError) }),
    };
  }

  #run(id: string, { tells, throws, later, stop }: StepSpec, input: unknown, tell: Tell) {
    const { journal, clock, running } = this.#world;
    journal.push(`start ${id} with ${input}`);
    for (const event of tells) this.#tell(tell, event);
    const timer = later && clock.after(later.ms, () => this.#tell(tell, later.event));
    if (throws && this.#outcomesLeft-- > 0) throw new Error('boom in a step');
    if (stop === 'none') return undefined;
    running.add(id);
    return () => {
      journal.push(`stop ${id}`);
      running.delete(id);
      if (later?.isCancelled) timer?.cancel();
      if (stop === 'tells') this.#tell(tell, 'a');
      if (stop === 'throws' && this.#outcomesLeft-- > 0) throw new Error('boom in a stop');
    };
  }

  #tell(tell: Tell, event: string): void {
    if (this.#outcomesLeft-- > 0) tell({ type: event });
  }

  /** As the chart refers to it. */
  #named(kind: 'actions' | 'guards', implementation: unknown, form: Form): unknown {
    if (form === 'inline') return implementation;
    const type = this.#name(kind);
    this.#implementations[kind][type] = implementation;
    if (form === 'named') return type;
    if (form === 'params') return { type, params: { fixed: type } };
    return { type, params: this.#noting(`params of ${type}`, ({ context }) => context.n) };
  }

  #noting(name: string, run: Implementation): Implementation {
    const label = this.#name(name);
    return (args, params) => {
      const { context, event } = args;
      this.#world.journal.push(JSON.stringify([label, context, event, params]));
      return run(args, params);
    };
  }

  #name(kind: string): string {
    return `${kind} ${this.#names++}`;
  }
}

function keyed<T>(prefix: string, specs: readonly T[], build: (spec: T) => Config): Config {
  return Object.fromEntries(specs.map((spec, index) => [`${prefix}${index}`, build(spec)]));
}

function pathsOf({ states }: StateSpec, path: string): string[] {
  return states.flatMap((state, index) => [`${path}.s${index}`, ...pathsOf(state, `${path}.s${index}`)]);
}
