import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import { type Action, Args, Beginning } from './args.ts';
import { Child } from './child.ts';
import { type Effect, type Holding, LateAction } from './effects.ts';
import type { Context, Leaf, MachineEvent, Program, Transition } from './program.ts';

/** Events that are taken in one go, each sent while another is taken. More come without end. */
export const EVENTS_AT_ONCE_MAX = 1000;

/** `always` transitions that one event may lead to; more go in a circle. */
export const ALWAYS_MAX = 1000;

const CHILD_ERROR = 'xstate.error.actor.';

export type Status = 'active' | 'done' | 'error';

export type RunOptions = {
  readonly input: unknown;
  readonly clock: Clock;
  readonly onDone: (output: unknown) => void;
  readonly onError: (error: unknown) => void;
  readonly onTransition?: (from: string, to: string, event: MachineEvent) => void;
};

/**
 * One run of a compiled machine. As in XState an event is taken in two strides: first all is decided (guards,
 * actions, assignments, where to go), then the steps and delays that it was about are stopped and started.
 * What is sent meanwhile waits.
 */
export class RunningActor {
  status: Status = 'active';
  readonly #program: Program;
  readonly #options: RunOptions;
  /** Of the active states, outermost first. */
  readonly #holdings: (Holding | null)[];
  #leaf: Leaf;
  #context: Context;
  #output: unknown = undefined;
  #event: MachineEvent;
  #args: Args | null = null;
  #firstEffect: Effect | null = null;
  #lastEffect: Effect | null = null;
  #isStarting = true;
  #isBusy = true;
  #nextEvent: MachineEvent | null = null;
  /** Those behind the next one; mostly there are none. */
  #laterEvents: MachineEvent[] | null = null;

  constructor(program: Program, options: RunOptions) {
    this.#program = program;
    this.#options = options;
    this.#holdings = new Array<Holding | null>(program.holdingsMax).fill(null);
    this.#leaf = program.initialLeaf;
    this.#context = program.staticContext;
    const { input } = options;
    this.#event = { type: 'xstate.init', input } as MachineEvent;
  }

  /** Path of the innermost active state: `seeking.limiting`. */
  get state(): string {
    return this.#leaf.path;
  }

  get context(): Context {
    return this.#context;
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Enters the initial states and starts their steps; takes what was sent before. */
  start(): void {
    if (!this.#isStarting) return;
    this.#begin();
    this.#isStarting = false;
    if (this.status === 'active') {
      for (const holding of this.#holdings) if (holding instanceof Child) holding.settle();
    }
    if (this.status !== 'error') this.#settle();
    this.#takeQueued();
  }

  /** Takes the event, at once or after those that wait. Nothing happens once the machine has ended. */
  send(event: MachineEvent): void {
    if (this.status !== 'active') return;
    this.#queue(event);
    if (!this.#isBusy) this.#takeQueued();
  }

  // What follows is for acts, steps and delays.

  /** What guards and the like are called with now. */
  get args(): Args {
    this.#args ??= new Args(this.#context, this.#event);
    return this.#args;
  }

  perform(action: Action, params: unknown): void {
    if (this.#isStarting) this.postpone(new LateAction(action, this.args, params));
    else action(this.args, params);
  }

  assign(context: Context): void {
    this.#context = context;
    this.#args = null;
  }

  hold(slot: number, holding: Holding): void {
    this.#holdings[slot] = holding;
    this.postpone(holding);
  }

  release(slot: number): void {
    this.#holdings[slot]?.leave();
    this.#holdings[slot] = null;
  }

  postpone(effect: Effect): void {
    if (this.#firstEffect === null || this.#lastEffect === null) this.#firstEffect = effect;
    else this.#lastEffect.next = effect;
    this.#lastEffect = effect;
  }

  finish(output: unknown): void {
    this.#output = output;
    this.status = 'done';
  }

  childFailed(id: string, error: unknown): void {
    this.send({ type: CHILD_ERROR + id, error, actorId: id } as MachineEvent);
  }

  #begin(): void {
    const { makeContext, beginning } = this.#program;
    let initialContext = this.#context;
    try {
      if (makeContext !== null) initialContext = makeContext(new Beginning(this.#options.input));
      this.#context = initialContext;
      for (const act of beginning) act(this);
      this.#takeAlways();
    } catch (error) {
      this.#context = initialContext;
      this.#leaf = this.#program.initialLeaf;
      this.#fail(error);
    }
  }

  #takeQueued(): void {
    this.#isBusy = true;
    for (let taken = 0; this.status === 'active'; taken++) {
      const event = this.#dequeue();
      if (event === null) break;
      if (taken === EVENTS_AT_ONCE_MAX) this.#fail(endless(`${event.type} in state ${this.state}`));
      else this.#take(event);
    }
    this.#isBusy = false;
  }

  #take(event: MachineEvent): void {
    const leaf = this.#leaf;
    const context = this.#context;
    this.#event = event;
    this.#args = null;
    try {
      const transition = this.#choose(leaf.on.get(event.type) ?? leaf.otherwise);
      if (transition !== null) this.#follow(transition);
      else if (event.type.startsWith(CHILD_ERROR)) throw (event as MachineEvent & { error: unknown }).error;
      this.#takeAlways();
    } catch (error) {
      this.#leaf = leaf;
      this.#context = context;
      this.#fail(error);
      return;
    }
    this.#settle();
  }

  #takeAlways(): void {
    for (let taken = 0; this.status === 'active' && this.#leaf.always.length > 0; taken++) {
      const transition = this.#choose(this.#leaf.always);
      if (transition === null) return;
      if (taken === ALWAYS_MAX) throw endless(`\`always\` in state ${this.state}`);
      this.#follow(transition);
      if (!transition.changes) return;
    }
  }

  #choose(transitions: readonly Transition[]): Transition | null {
    for (const transition of transitions) {
      if (transition.guard === null || transition.guard(this.args)) return transition;
    }
    return null;
  }

  #follow(transition: Transition): void {
    const from = this.#leaf.path;
    for (const act of transition.acts) act(this);
    this.#leaf = transition.to;
    this.#options.onTransition?.(from, transition.to.path, this.#event);
  }

  #settle(): void {
    try {
      for (let effect = this.#firstEffect; effect !== null; effect = this.#firstEffect) {
        this.#firstEffect = effect.next;
        effect.next = null;
        effect.settle();
      }
    } catch (error) {
      this.#fail(error);
      return;
    }
    if (this.status === 'done') this.#options.onDone(this.#output);
  }

  /** Unlike XState, which leaves them running, stops the steps when the machine itself has failed. */
  #fail(error: unknown): void {
    this.status = 'error';
    for (let effect = this.#firstEffect; effect !== null; effect = effect.next) effect.end();
    for (const holding of this.#holdings) holding?.end();
    this.#options.onError(error);
  }

  #queue(event: MachineEvent): void {
    if (this.#nextEvent === null) this.#nextEvent = event;
    else if (this.#laterEvents === null) this.#laterEvents = [event];
    // With so many, the machine ends before it comes to this one.
    else if (this.#laterEvents.length < EVENTS_AT_ONCE_MAX) this.#laterEvents.push(event);
  }

  #dequeue(): MachineEvent | null {
    const event = this.#nextEvent;
    this.#nextEvent = this.#laterEvents?.shift() ?? null;
    return event;
  }
}

function endless(what: string): SignalboxError {
  return new SignalboxError('machine_endless', 'signalbox', `The machine does not come to rest: ${what}`);
}
