import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import { DELAY_MS_MAX } from '../xstate-clock.ts';
import type { Call } from './acts.ts';
import { Args, Beginning } from './args.ts';
import { Child } from './child.ts';
import { Delay } from './delay.ts';
import { type Holding, LateAction } from './effects.ts';
import { STEP_ERROR } from './holdings.ts';
import type { Context, Invocation, Leaf, MachineEvent, Program, Transition } from './program.ts';

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
 *
 * Where a transition leads to rest, the function that was made for it does both. Where `always` may follow, or actions
 * on the beginning, it notes what is to be done `later`, for when the machine has come to rest.
 */
export class RunningActor {
  readonly #program: Program;
  readonly #options: RunOptions;
  /** Of the active states, outermost first. */
  readonly #holdings: (Holding | null)[];
  /** With the context, and the event that is taken. */
  readonly #args: Args;
  #leaf: Leaf;
  #isActive = true;
  #hasFailed = false;
  #output: unknown = undefined;
  /** Those to be stopped later. All of them come before those to be started, which are inside of what stays. */
  #left: Holding[] | null = null;
  #lateActions: LateAction[] | null = null;
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

  get status(): Status {
    if (this.#isActive) return 'active';
    return this.#hasFailed ? 'error' : 'done';
  }

  /** Path of the innermost active state: `seeking.limiting`. */
  get state(): string {
    return this.#leaf.path;
  }

  /** Its number among all innermost states. */
  get stateNumber(): number {
    return this.#leaf.number;
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
    if (!this.#program.beginsAtRest) this.#startLater();
    this.#takeQueued();
  }

  /** Takes the event, at once or after those that wait. Nothing happens once the machine has ended. */
  send(event: MachineEvent): void {
    if (!this.#isActive) return;
    if (this.#nextEvent === null) this.#nextEvent = event;
    else this.#queue(event);
    if (!this.#isBusy) this.#takeQueued();
  }

  // -- what transitions do -----------------------------------------------------------------------------

  /** All is decided. */
  arrive({ to }: Transition): void {
    const from = this.#leaf;
    this.#leaf = to;
    this.#options.onTransition?.(from.path, to.path, this.#args.event);
  }

  /** For the caller, who runs the step at once. */
  invoke(slot: number, invocation: Invocation): Child {
    const child = new Child(this, invocation, undefined);
    child.isStarted = true;
    this.#holdings[slot] = child;
    return child;
  }

  wait(slot: number, event: MachineEvent, delayMs: number): void {
    this.waitLater(slot, event, delayMs);
    this.#holdings[slot]?.start();
  }

  leave(slot: number): void {
    const holding = this.#holdings[slot];
    this.#holdings[slot] = null;
    holding?.halt();
  }

  finish(output: unknown): void {
    this.#output = output;
    this.#isActive = false;
  }

  // -- what they do later ------------------------------------------------------------------------------

  perform(action: Call, params: unknown): void {
    if (!this.#isStarting) action(this.#args, params);
    else {
      this.#lateActions ??= [];
      this.#lateActions.push(new LateAction(action, this.#args, params));
    }
  }

  invokeLater(slot: number, invocation: Invocation, input: unknown): void {
    this.#holdings[slot] = new Child(this, invocation, input);
  }

  waitLater(slot: number, event: MachineEvent, delayMs: number): void {
    if (delayMs <= DELAY_MS_MAX) this.#holdings[slot] = new Delay(this, delayMs, event);
  }

  leaveLater(slot: number): void {
    const holding = this.#holdings[slot];
    this.#holdings[slot] = null;
    if (!holding?.isStarted) return;
    this.#left ??= [];
    this.#left.push(holding);
  }

  // -- for steps ---------------------------------------------------------------------------------------

  stepThrew(error: unknown): void {
    this.#options.onStepError?.(error);
  }

  // -- deciding ----------------------------------------------------------------------------------------

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

  #startLater(): void {
    if (this.#isActive) {
      for (const holding of this.#holdings) if (holding instanceof Child) holding.start();
    }
    this.#settle();
  }

  #takeQueued(): void {
    this.#isBusy = true;
    for (let taken = 0; this.#isActive; taken++) {
      const event = this.#nextEvent;
      if (event === null) break;
      this.#nextEvent = this.#laterEvents?.shift() ?? null;
      if (taken === EVENTS_AT_ONCE_MAX) this.#fail(endless(`${event.type} in state ${this.state}`));
      else this.#take(event);
    }
    this.#isBusy = false;
    if (!this.#isActive && !this.#hasFailed) this.#options.onDone(this.#output);
  }

  #take(event: MachineEvent): void {
    const leaf = this.#leaf;
    const args = this.#args;
    const { context } = args;
    args.event = event;
    try {
      const transition = leaf.take(this, args, event.type);
      if (transition === null && event.type.startsWith(STEP_ERROR)) {
        throw (event as MachineEvent & { error: unknown }).error;
      }
      if (this.#leaf.always === null) return;
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
    for (let taken = 0; this.#isActive; taken++) {
      const { always } = this.#leaf;
      if (always === null) return;
      if (taken === ALWAYS_MAX) throw endless(`\`always\` in state ${this.state}`);
      const transition = always(this, this.#args);
      if (transition === null || !transition.changes) return;
    }
  }

  // -- doing what was decided for later ----------------------------------------------------------------

  #settle(): void {
    if (this.#hasFailed) return;
    this.#haltLeft();
    try {
      const actions = this.#lateActions;
      this.#lateActions = null;
      if (actions !== null) for (const action of actions) action.perform();
    } catch (error) {
      this.#fail(error);
      return;
    }
    for (const holding of this.#holdings) if (holding !== null && !holding.isStarted) holding.start();
  }

  /** Unlike XState, which leaves them running, stops the steps when the machine itself has failed. */
  #fail(error: unknown): void {
    this.#isActive = false;
    this.#hasFailed = true;
    this.#haltLeft();
    for (const holding of this.#holdings) if (holding?.isStarted) holding.halt();
    this.#options.onError(error);
  }

  #haltLeft(): void {
    const left = this.#left;
    this.#left = null;
    if (left !== null) for (const holding of left) holding.halt();
  }

  /** With so many, the machine ends before it comes to the last one. */
  #queue(event: MachineEvent): void {
    this.#laterEvents ??= [];
    if (this.#laterEvents.length < EVENTS_AT_ONCE_MAX) this.#laterEvents.push(event);
  }
}

function endless(what: string): SignalboxError {
  return new SignalboxError('machine_endless', 'signalbox', `The machine does not come to rest: ${what}`);
}
