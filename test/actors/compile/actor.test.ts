import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnyStateMachine, assign, fromCallback, setup } from 'xstate';
import { ALWAYS_MAX, EVENTS_AT_ONCE_MAX } from '#actors/compile/actor.ts';
import { compile } from '#actors/compile/compile.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

type Event = { readonly type: string };
type Tell = (event: Event) => void;

/** A step that tells machine and test of itself. */
function stepOf(run: (tell: Tell) => (() => void) | undefined) {
  return fromCallback(({ sendBack }) => run(sendBack));
}

function begin(machine: AnyStateMachine, input?: unknown) {
  const clock = new VirtualClock();
  const ends: { output?: unknown; error?: unknown }[] = [];
  const moves: string[] = [];
  const actor = compile(machine).createActor({
    input,
    clock,
    onDone: (output: unknown) => ends.push({ output }),
    onError: (error) => ends.push({ error }),
    onTransition: (from, to, event: Event) => moves.push(`${from} to ${to} on ${event.type}`),
  });
  return { actor, clock, ends, moves };
}

function errorOf({ ends }: { ends: { error?: unknown }[] }): Error {
  assert.equal(ends.length, 1);
  return ends[0]?.error as Error;
}

describe('a compiled machine', () => {
  it('takes what a step tells while it starts only when the step has started', () => {
    const journal: string[] = [];
    const work = stepOf((tell) => {
      tell({ type: 'told' });
      journal.push('started');
      return () => journal.push('stopped');
    });
    const machine = setup({ actors: { work }, actions: { note: () => journal.push('noted') } }).createMachine(
      {
        initial: 'working',
        states: {
          working: { invoke: { src: 'work' }, on: { told: { target: 'over', actions: 'note' } } },
          over: {},
        },
      },
    );
    const { actor } = begin(machine);
    actor.start();
    assert.equal(actor.state, 'over');
    assert.deepEqual(journal, ['started', 'noted', 'stopped']);
  });

  it('ignores what a step tells when it has been stopped', () => {
    let tellLater: Tell = () => {};
    const work = stepOf((tell) => {
      tellLater = tell;
      return undefined;
    });
    const machine = setup({ actors: { work } }).createMachine({
      initial: 'working',
      states: {
        working: { invoke: { src: 'work' }, on: { go: 'resting' } },
        resting: { on: { told: 'wrong' } },
        wrong: {},
      },
    });
    const { actor } = begin(machine);
    actor.start();
    actor.send({ type: 'go' });
    tellLater({ type: 'told' });
    assert.equal(actor.state, 'resting');
  });

  it('takes the events that were sent before it started, when it starts', () => {
    const machine = setup({}).createMachine({ initial: 'a', states: { a: { on: { go: 'b' } }, b: {} } });
    const { actor } = begin(machine);
    actor.send({ type: 'go' });
    assert.equal(actor.state, 'a');
    actor.start();
    assert.equal(actor.state, 'b');
  });

  it('says once what it ended with, and ignores what comes after', () => {
    const machine = setup({}).createMachine({
      context: { n: 3 },
      output: ({ context, event }) => [context['n'], event.output],
      initial: 'a',
      states: { a: { on: { go: 'over' } }, over: { type: 'final', output: 'done' } },
    });
    const { actor, ends, moves } = begin(machine);
    actor.start();
    for (let sent = 0; sent < 3; sent++) actor.send({ type: 'go' });
    assert.deepEqual(ends, [{ output: [3, 'done'] }]);
    assert.deepEqual(moves, ['a to over on go']);
    assert.equal(actor.status, 'done');
  });

  it('sets no timer for a delay that never ends, and leaves none when it has ended', () => {
    const machine = setup({ delays: { NEVER: Number.POSITIVE_INFINITY, SOON: 10 } }).createMachine({
      initial: 'a',
      after: { NEVER: '.over' },
      states: {
        a: { after: { SOON: 'b' } },
        b: { after: { 50: 'a' }, on: { go: 'over' } },
        over: { type: 'final' },
      },
    });
    const { actor, clock } = begin(machine);
    actor.start();
    assert.equal(clock.timers, 1);
    clock.advance(10);
    assert.equal(actor.state, 'b');
    actor.send({ type: 'go' });
    assert.equal(clock.timers, 0);
  });

  // XState leaves the steps of a machine that failed running: nobody could stop them any more.
  it('stops its steps when it fails itself, and keeps state and context of before', () => {
    const journal: string[] = [];
    const work = (name: string) =>
      stepOf(() => {
        journal.push(`start ${name}`);
        return () => journal.push(`stop ${name}`);
      });
    const machine = setup({
      actors: { outer: work('outer'), inner: work('inner'), next: work('next') },
      actions: {
        count: assign({ n: 1 }),
        break: () => {
          throw new Error('broken');
        },
      },
    }).createMachine({
      context: { n: 0 },
      invoke: { src: 'outer' },
      after: { 1000: '.a' },
      initial: 'a',
      states: {
        a: { invoke: { src: 'inner' }, on: { go: { target: 'b', actions: ['count', 'break'] } } },
        b: { invoke: { src: 'next' } },
      },
    });
    const begun = begin(machine);
    begun.actor.start();
    begun.actor.send({ type: 'go' });
    assert.equal(errorOf(begun).message, 'broken');
    assert.deepEqual(journal.splice(2).sort(), ['stop inner', 'stop outer']);
    assert.deepEqual([begun.actor.state, begun.actor.context], ['a', { n: 0 }]);
    assert.equal(begun.clock.timers, 0);
  });

  it('says which guard threw, where and on what', () => {
    const cause = new Error('no such thing');
    const isFine = () => {
      throw cause;
    };
    const machine = setup({ guards: { isFine } }).createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { on: { go: { guard: 'isFine', target: 'b' } } }, b: {} },
    });
    const begun = begin(machine);
    begun.actor.start();
    begun.actor.send({ type: 'go' });
    const error = errorOf(begun);
    assert.equal(error.message, 'Guard isFine of state m.a threw on go: no such thing');
    assert.equal(error.cause, cause);
  });

  it('fails when a delay is no number', () => {
    const machine = setup({ delays: { SOON: () => undefined as unknown as number } }).createMachine({
      id: 'm',
      after: { SOON: {} },
    });
    const begun = begin(machine);
    begun.actor.start();
    assert.match(errorOf(begun).message, /Delay SOON of state m gave undefined/);
  });

  it('fails when `always` goes in a circle', () => {
    let taken = 0;
    const machine = setup({ actions: { count: () => taken++ } }).createMachine({
      initial: 'a',
      states: { a: { always: 'b' }, b: { always: { target: 'a' }, entry: 'count' } },
    });
    const begun = begin(machine);
    begun.actor.start();
    assert.match(errorOf(begun).message, /does not come to rest: `always`/);
    assert.equal(begun.moves.length, ALWAYS_MAX);
    assert.equal(taken, 0, 'actions of the initial states wait until all is decided');
  });

  it('fails when its steps keep one another going', () => {
    const work = stepOf((tell) => {
      tell({ type: 'go' });
      return undefined;
    });
    const machine = setup({ actors: { work } }).createMachine({
      initial: 'a',
      states: { a: { invoke: { src: 'work' }, on: { go: { target: 'a', reenter: true } } } },
    });
    const begun = begin(machine);
    begun.actor.start();
    assert.match(errorOf(begun).message, /does not come to rest: go in state a/);
    assert.equal(begun.moves.length, EVENTS_AT_ONCE_MAX);
  });

  it('fails when a step tells without end', () => {
    const work = stepOf((tell) => {
      for (let told = 0; told < 10 * EVENTS_AT_ONCE_MAX; told++) tell({ type: 'go' });
      return undefined;
    });
    const machine = setup({ actors: { work } }).createMachine({ invoke: { src: 'work' } });
    const begun = begin(machine);
    begun.actor.start();
    assert.match(errorOf(begun).message, /does not come to rest/);
  });

  for (const name of ['self', 'system', 'spawn', 'receive', 'emit']) {
    it(`says that there is no \`${name}\``, () => {
      const entry = (args: object) => Reflect.get(args, name);
      const machine = setup({ actions: { entry } }).createMachine({ entry: 'entry' });
      const begun = begin(machine);
      begun.actor.start();
      assert.match(errorOf(begun).message, new RegExp(`\`${name}\` is not there in a compiled machine`));
    });
  }

  it('keeps nothing of one run for the next', () => {
    const machine = setup({ types: { context: {} as { seen: unknown[] } } }).createMachine({
      context: ({ input }) => ({ seen: [input] }),
      on: { go: { actions: assign({ seen: ({ context, event }) => [...context.seen, event.type] }) } },
    });
    const compiled = compile(machine);
    const contexts = [1, 2].map((input) => {
      const actor = compiled.createActor({ input, clock: new VirtualClock(), onDone() {}, onError() {} });
      actor.start();
      actor.send({ type: 'go' });
      return actor.context;
    });
    assert.deepEqual(contexts, [{ seen: [1, 'go'] }, { seen: [2, 'go'] }]);
  });
});
