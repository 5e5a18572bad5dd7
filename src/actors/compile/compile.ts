/**
 * Runs a machine without interpreting it. Everything that the chart says is worked out once; what is left for
 * an event is to call the one function that was made for it and the state: it asks guards, and does what the
 * transition does that may be taken.
 *
 *     machine ─► subset ─► read ─► acts ─► emit ─► program (leaf states, with a function for each event)
 *                                                    │
 *                                       input ─► actor ─► effects: steps and delays
 */
import type { AnyStateMachine, ContextFrom, EventFrom, InputFrom, OutputFrom } from 'xstate';
import type { Clock } from '#core/clock.ts';
import { RunningActor, type RunOptions, type Status } from './actor.ts';
import { readProgram } from './read.ts';

export type CompiledMachine<Machine extends AnyStateMachine> = {
  createActor(options: CompiledActorOptions<Machine>): CompiledActor<Machine>;
};

export type CompiledActorOptions<Machine extends AnyStateMachine> = {
  readonly input: InputFrom<Machine>;
  readonly clock: Clock;
  /** Called once, when a final state has been entered. */
  onDone(output: OutputFrom<Machine>): void;
  /** Called once, when an action or guard has thrown, or a step has and no state handles it. */
  onError(error: unknown): void;
  /** Called for each transition when it has been decided, before the steps that it starts. Must not throw. */
  onTransition?(from: string, to: string, event: EventFrom<Machine>): void;
  /** Called when a step throws as it starts, before the machine takes its edge for that. Must not throw. */
  onStepError?(error: unknown): void;
};

export type CompiledActor<Machine extends AnyStateMachine> = {
  readonly status: Status;
  /** Path of the innermost active state: `seeking.limiting`. */
  readonly state: string;
  /** Its number among all innermost states, in the order of the chart, from 0. */
  readonly stateNumber: number;
  readonly context: ContextFrom<Machine>;
  /** Enters the initial states and starts their steps, then takes what was sent before. */
  start(): void;
  /** Takes an event, at once or after those that are being taken; ignores it after the end. */
  send(event: EventFrom<Machine>): void;
};

/**
 * Throws `machine_unsupported` for whatever is outside of the subset, naming the state. The subset, and where
 * a compiled machine differs from XState's interpreter: docs/decisions/030-compile.md.
 */
export function compile<Machine extends AnyStateMachine>(machine: Machine): CompiledMachine<Machine> {
  const program = readProgram(machine);
  return {
    createActor(options) {
      const actor: unknown = new RunningActor(program, options as RunOptions);
      return actor as CompiledActor<Machine>;
    },
  };
}
