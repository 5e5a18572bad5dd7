import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AnyStateMachine, assign, setup } from 'xstate';
import { compile } from '#actors/compile/compile.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

/** Texts that would end a string, a name or a comment if they got into the source as they are. */
const HOSTILE = [
  '"',
  "'",
  '`$' + "{globalThis['broken'] = 1}`",
  '\\',
  "\n}); globalThis['broken'] = 1; (() => {",
  "\u2028globalThis['broken'] = 1\u2029",
  '__proto__',
  'constructor',
  '1e3',
  '',
];

function begin(machine: AnyStateMachine) {
  const ends: unknown[] = [];
  const actor = compile(machine).createActor({
    input: undefined,
    clock: new VirtualClock(),
    onDone: () => ends.push('done'),
    onError: (error) => ends.push(error),
  });
  actor.start();
  return { actor, ends };
}

describe('generated functions', () => {
  for (const text of HOSTILE) {
    it(`hold no text of the chart but as text: ${JSON.stringify(text)}`, () => {
      const own = (value: unknown) => Object.fromEntries([[text, value]]);
      const machine = setup({
        actions: { [`act ${text}`]: assign(own(1) as never) },
        guards: { [`ask ${text}`]: () => true },
      }).createMachine({
        id: `m ${text}`,
        context: { kept: 'kept' },
        initial: `a ${text}`,
        states: {
          [`a ${text}`]: {
            entry: `act ${text}`,
            on: { [`go ${text}`]: { guard: `ask ${text}`, actions: `act ${text}`, target: 'b' } },
          },
          b: {},
        },
      } as never);
      const { actor, ends } = begin(machine as unknown as AnyStateMachine);
      actor.send({ type: `go ${text}` });
      assert.deepEqual(ends, []);
      assert.equal(actor.state, 'b');
      assert.deepEqual(
        Object.entries(actor.context as object).toSorted(),
        [
          ['kept', 'kept'],
          [text, 1],
        ].toSorted(),
      );
      assert.equal(Object.getPrototypeOf(actor.context), Object.prototype);
      assert.ok(!('broken' in globalThis));
    });
  }

  it('bear the name of their state and event, for stacks and profiles', () => {
    const stacks: string[] = [];
    const look = () => stacks.push(String(new Error().stack));
    const machine = setup({ actions: { look } }).createMachine({
      initial: 'far',
      states: { far: { initial: 'away', states: { away: { on: { 'gone.home': { actions: 'look' } } } } } },
    });
    begin(machine).actor.send({ type: 'gone.home' });
    assert.match(stacks[0] ?? '', /far_away_on_gone_home/);
  });

  it('ask no guard behind a transition that has none', () => {
    const never = () => assert.fail('was asked');
    const machine = setup({ guards: { never, no: () => false } }).createMachine({
      initial: 'a',
      states: {
        a: { on: { go: [{ guard: 'no', target: 'a' }, { target: 'b' }, { guard: 'never', target: 'a' }] } },
        b: {},
      },
    });
    const { actor, ends } = begin(machine);
    actor.send({ type: 'go' });
    assert.deepEqual([actor.state, ends], ['b', []]);
  });
});
