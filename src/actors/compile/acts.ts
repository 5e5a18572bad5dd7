/** What a chart says of its transitions, as it is read and before it is made into functions. */
import type { Args } from './args.ts';
import type { Invocation, Transition, Waiting } from './program.ts';

/** A function of the chart: an action, guard, delay, input … */
export type Call = (args: Args, params: unknown) => unknown;

/** Makes the params that the chart names with a guard or action. */
export type Params = (args: Args) => unknown;

/** One key of a context, and what it is set to: what `assigner` says, or `value` where there is none. */
export type Assignment = {
  readonly key: string;
  readonly assigner: Call | null;
  readonly value: unknown;
};

/** One thing that a transition does. `slot` is that of the step or delay that begins or is left. */
export type Act =
  | { readonly kind: 'perform'; readonly action: Call; readonly params: Params | null }
  | { readonly kind: 'assign'; readonly assignments: readonly Assignment[]; readonly params: Params | null }
  | { readonly kind: 'assignAll'; readonly assigner: Call; readonly params: Params | null }
  | { readonly kind: 'wait'; readonly slot: number; readonly waiting: Waiting }
  | { readonly kind: 'invoke'; readonly slot: number; readonly invocation: Invocation }
  | { readonly kind: 'leave'; readonly slot: number }
  | { readonly kind: 'finish'; readonly output: (args: Args) => unknown };

export type Guard = {
  readonly ask: Call;
  readonly params: Params | null;
  /** What is thrown where it throws. */
  readonly failed: (error: unknown) => Error;
};

/** A transition that is taken on its event if its guard passes. */
export type Candidate = {
  readonly guard: Guard | null;
  /** Everything that happens, in order: what exits do, then its own actions, then what entries do. */
  readonly acts: readonly Act[];
  readonly transition: Transition;
  /** Whether the machine is at rest then: no `always` may follow. */
  readonly rests: boolean;
};
