/** What a machine comes to when everything that can be known before it runs has been worked out. */
import type { RunningActor } from './actor.ts';
import type { Args, Beginning } from './args.ts';

export type MachineEvent = { readonly type: string };
export type Context = Readonly<Record<string, unknown>>;

/** One thing that a transition does: calls an action, assigns, or takes up or lets go of a step or delay. */
export type Act = (actor: RunningActor) => void;

export type Guard = (args: Args) => boolean;

export type Transition = {
  readonly guard: Guard | null;
  /** Everything that happens, in order: what exits do, then its own actions, then what entries do. */
  readonly acts: readonly Act[];
  readonly to: Leaf;
  /** False where it leaves state, context and steps as they were; such an `always` is taken once, not for ever. */
  readonly changes: boolean;
};

/** A state without children. Its transitions are its own and those of all states around it, innermost first. */
export type Leaf = {
  readonly path: string;
  readonly on: ReadonlyMap<string, readonly Transition[]>;
  /** For events that are not in `on`: those of `*`. */
  readonly otherwise: readonly Transition[];
  readonly always: readonly Transition[];
};

export type Program = {
  readonly initialLeaf: Leaf;
  /** Enters the initial states. */
  readonly beginning: readonly Act[];
  readonly staticContext: Context;
  /** Null where the context is the same for every input. */
  readonly makeContext: ((beginning: Beginning) => Context) | null;
  /** Steps and delays that can be under way at once. */
  readonly holdingsMax: number;
};
