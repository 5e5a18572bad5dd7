/**
 * Runs a machine without interpreting it. Everything that the chart says is worked out once; what is left for
 * an event is to look up its transitions, ask their guards, and call what the chosen one does, one by one.
 *
 *     machine ─► subset ─► read ─► program (leaf states with their transitions, each a list of acts)
 *                                     │
 *                        input ─► actor ─► acts ─► effects: steps and delays
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
  readonly onDone: (output: OutputFrom<Machine>) => void;
  /** Called once, when an action or guard has thrown, or a step has and no state handles it. */
  readonly onError: (error: unknown) => void;
  /** Called for each transition when it has been decided, before the steps that it starts. Must not throw. */
  readonly onTransition?: (from: string, to: string, event: EventFrom<Machine>) => void;
};

export type CompiledActor<Machine extends AnyStateMachine> = {
  readonly status: Status;
  /** Path of the innermost active state: `seeking.limiting`. */
  readonly state: string;
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
