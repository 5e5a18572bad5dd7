/** What a machine comes to when everything that can be known before it runs has been worked out. */
import type { Step } from '../step.ts';
import type { RunningActor } from './actor.ts';
import type { Args, Beginning } from './args.ts';

export type MachineEvent = { readonly type: string };
export type Context = Readonly<Record<string, unknown>>;

/** A delay of a state, as the chart has it. */
export type Waiting = {
  readonly event: MachineEvent;
  /** Throws where the chart gives no number. */
  readonly msFor: (args: Args) => number;
};

/** An invoked step, as the chart has it. */
export type Invocation = {
  readonly id: string;
  /** What the machine is sent when the step has thrown. */
  readonly errorType: string;
  readonly inputFor: ((args: Args) => unknown) | null;
  /** The input where there is no function for it. */
  readonly input: unknown;
  readonly run: Step<unknown, MachineEvent>;
};

/**
 * Decides what is done, and does it, or notes it for later; null where no guard let anything pass.
 */
export type Take = (actor: RunningActor, args: Args) => Transition | null;

/** Decides how the machine begins, and does it where it `beginsAtRest`, or else notes it for later. */
export type Begin = (actor: RunningActor, args: Args) => void;

/** The same for whatever event comes, by its type. */
export type TakeAny = (actor: RunningActor, args: Args, event: string) => Transition | null;

export type Transition = {
  readonly to: Leaf;
  /** False where it leaves state, context and steps as they were; such an `always` is taken once, not for ever. */
  readonly changes: boolean;
};

/** A state without children. Its transitions are its own and those of all states around it, innermost first. */
export type Leaf = {
  readonly path: string;
  /** Among the leaves, in the order of the chart, from 0. */
  readonly number: number;
  readonly take: TakeAny;
  readonly always: Take | null;
};

export type Program = {
  readonly initialLeaf: Leaf;
  /** Enters the initial states. */
  readonly begin: Begin;
  /** Neither actions nor `always` follow on its beginning. */
  readonly beginsAtRest: boolean;
  readonly staticContext: Context;
  /** Null where the context is the same for every input. */
  readonly makeContext: ((beginning: Beginning) => Context) | null;
  /** For the steps and delays that can be under way at once: null for each. */
  readonly makeSlots: () => null[];
};
