/** The two ways to run a machine, behind one face, each writing what happens into a journal. */
import { type AnyStateMachine, createActor } from 'xstate';
import { compile } from '#actors/compile/compile.ts';
import { xstateClock } from '#actors/xstate-clock.ts';
import type { Clock } from '#core/clock.ts';

export type TestEvent = { readonly type: string };

export type Run = {
  start(): void;
  send(event: TestEvent): void;
  readonly state: string;
  readonly status: string;
  readonly context: unknown;
  /** What it ended with. */
  readonly end: { readonly output?: unknown; readonly error?: unknown } | null;
};

export type Journal = string[];

export type Runtime = (machine: AnyStateMachine, input: unknown, clock: Clock, journal: Journal) => Run;

export const interpreted: Runtime = (machine, input, clock, journal) => {
  let end: Run['end'] = null;
  const actor = createActor(machine, {
    input,
    clock: xstateClock(clock),
    inspect: (inspection) => {
      if (inspection.type !== '@xstate.microstep' || inspection._transitions.length === 0) return;
      const { value } = inspection.snapshot as unknown as { value: unknown };
      journal.push(`${inspection.event.type} to ${pathOf(value)}`);
    },
  });
  actor.subscribe({
    complete: () => {
      end = { output: actor.getSnapshot().output };
    },
    error: (error) => {
      end = { error };
    },
  });
  return {
    start: () => actor.start(),
    send: (event) => actor.send(event),
    get state() {
      return pathOf(actor.getSnapshot().value);
    },
    get status() {
      return actor.getSnapshot().status;
    },
    get context() {
      return actor.getSnapshot().context;
    },
    get end() {
      return end;
    },
  };
};

export const compiled: Runtime = (machine, input, clock, journal) => {
  let end: Run['end'] = null;
  const actor = compile(machine).createActor({
    input,
    clock,
    onDone: (output: unknown) => {
      end = { output };
    },
    onError: (error) => {
      end = { error };
    },
    onTransition: (_, to, event: TestEvent) => journal.push(`${event.type} to ${to}`),
  });
  return {
    start: () => actor.start(),
    send: (event) => actor.send(event),
    get state() {
      return actor.state;
    },
    get status() {
      return actor.status;
    },
    get context() {
      return actor.context;
    },
    get end() {
      return end;
    },
  };
};

function pathOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [entry] = Object.entries(value as object);
  return entry === undefined ? '' : [entry[0], pathOf(entry[1])].join('.');
}
