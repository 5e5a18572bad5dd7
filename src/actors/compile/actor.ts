import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import { DELAY_MS_MAX } from '../xstate-clock.ts';
import type { Call } from './acts.ts';
import { Args, Beginning } from './args.ts';
import { Child } from './child.ts';
import { Delay } from './delay.ts';
import { type Effect, type Holding, LateAction } from './effects.ts';
import { STEP_ERROR } from './holdings.ts';
import type { Context, Invocation, Leaf, MachineEvent, Program, Take, Transition } from './program.ts';

/** Events that are taken in one go, each sent while another is taken. More come without end. */
export const EVENTS_AT_ONCE_MAX = 1000;

/** `always` transitions that one event may lead to; so many go in a circle. */
export const ALWAYS_MAX = 1000;

export type Status = 'active' | 'done' | 'error';

export type RunOptions = {
  readonly input: unknown;
  readonly clock: Clock;
  onDone(output: unknown): void;
  onError(error: unknown): void;
  onTransition?(from: string, to: string, event: MachineEvent): void;
  onStepError?(error: unknown): void;
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
  /** With the context, and the event that is taken. */
  readonly #args: Args;
  #leaf: Leaf;
  #output: unknown = undefined;
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
    this.#holdings = program.makeSlots();
    this.#leaf = program.initialLeaf;
    const { input } = options;
    this.#args = new Args(program.staticContext, { type: 'xstate.init', input } as MachineEvent);
  }

  /** Path of the innermost active state: `seeking.limiting`. */
  get state(): string {
    return this.#leaf.path;
  }

  get context(): Context {
    return this.#args.context;
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

  // -- what transitions do -----------------------------------------------------------------------------

  perform(action: Call, params: unknown): void {
    if (this.#isStarting) this.postpone(new LateAction(action, this.#args, params));
    else action(this.#args, params);
  }

  invoke(slot: number, invocation: Invocation, input: unknown): void {
    this.#hold(slot, new Child(this, invocation, input));
  }

  wait(slot: number, event: MachineEvent, delayMs: number): void {
    if (delayMs <= DELAY_MS_MAX) this.#hold(slot, new Delay(this, delayMs, event));
  }

  leave(slot: number): void {
    this.#holdings[slot]?.leave();
    this.#holdings[slot] = null;
  }

  finish(output: unknown): void {
    this.#output = output;
    this.status = 'done';
  }

  // -- for steps and delays ----------------------------------------------------------------------------

  postpone(effect: Effect): void {
    if (this.#firstEffect === null || this.#lastEffect === null) this.#firstEffect = effect;
    else this.#lastEffect.next = effect;
    this.#lastEffect = effect;
  }

  stepThrew(error: unknown): void {
    this.#options.onStepError?.(error);
  }

  // -- deciding ----------------------------------------------------------------------------------------

  #hold(slot: number, holding: Holding): void {
    this.#holdings[slot] = holding;
    this.postpone(holding);
  }

  #begin(): void {
    const { makeContext, begin } = this.#program;
    const args = this.#args;
    let initialContext = args.context;
    try {
      if (makeContext !== null) initialContext = makeContext(new Beginning(this.#options.input));
      args.context = initialContext;
      begin(this, args);
      this.#takeAlways();
    } catch (error) {
      args.context = initialContext;
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
    const args = this.#args;
    const { context } = args;
    args.event = event;
    try {
      const transition = this.#follow(takeFor(leaf, event.type));
      if (transition === null && event.type.startsWith(STEP_ERROR)) {
        throw (event as MachineEvent & { error: unknown }).error;
      }
      this.#takeAlways();
    } catch (error) {
      this.#leaf = leaf;
      args.context = context;
      this.#fail(error);
      return;
    }
    this.#settle();
  }

  #takeAlways(): void {
    for (let taken = 0; this.status === 'active' && this.#leaf.always !== null; taken++) {
      if (taken === ALWAYS_MAX) throw endless(`\`always\` in state ${this.state}`);
      const transition = this.#follow(this.#leaf.always);
      if (transition === null || !transition.changes) return;
    }
  }

  #follow(take: Take | null): Transition | null {
    if (take === null) return null;
    const from = this.#leaf.path;
    const transition = take(this, this.#args);
    if (transition === null) return null;
    this.#leaf = transition.to;
    this.#options.onTransition?.(from, transition.to.path, this.#args.event);
    return transition;
  }

  // -- doing what was decided --------------------------------------------------------------------------

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

function takeFor({ on, otherwise }: Leaf, event: string): Take | null {
  for (const branch of on) if (branch.event === event) return branch.take;
  return otherwise;
}

function endless(what: string): SignalboxError {
  return new SignalboxError('machine_endless', 'signalbox', `The machine does not come to rest: ${what}`);
}
