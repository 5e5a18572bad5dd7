import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type BusLinkEvent, busLinkMachine } from '#actors/bus-link/machine.ts';
import { chartOf } from '#actors/chart.ts';
import { compile } from '#actors/compile/compile.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const machine = compile(busLinkMachine);
const ROUND_MS = 1000;

function scene() {
  const clock = new VirtualClock();
  const states = ['connecting'];
  const actor = machine.createActor({
    input: { roundMs: ROUND_MS },
    clock,
    onDone: () => {},
    onError: (error) => {
      throw error;
    },
    onTransition: (_, to) => states.push(to),
  });
  actor.start();
  return { clock, states, send: (type: BusLinkEvent['type']) => actor.send({ type }) };
}

describe('the busLink machine', () => {
  it('is synced at once when an instance starts with its bus', () => {
    const { states, send } = scene();
    send('bus.synced');
    assert.deepEqual(states, ['connecting', 'synced']);
  });

  it('is synced again a round after the bus is back', () => {
    const { clock, states, send } = scene();
    send('bus.synced');
    send('bus.isolated');
    send('bus.synced');
    clock.advance(ROUND_MS - 1);
    assert.deepEqual(states, ['connecting', 'synced', 'isolated', 'resyncing']);
    clock.advance(1);
    assert.equal(states.at(-1), 'synced');
  });

  it('is isolated again if the bus does not stay', () => {
    const { clock, states, send } = scene();
    for (const type of ['bus.isolated', 'bus.synced', 'bus.isolated'] as const) send(type);
    clock.advance(ROUND_MS * 10);
    assert.deepEqual(states, ['connecting', 'isolated', 'resyncing', 'isolated']);
  });

  it('never goes from isolated to synced without a round in between, and can be in each of its states', () => {
    const reached = new Set<string>();
    const step = fc.constantFrom(
      'bus.synced',
      'bus.isolated',
      'bus.synced',
      'bus.isolated',
      'bus.closed',
      400,
      1000,
    );
    const property = fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const { clock, states, send } = scene();
      for (const step of steps) {
        if (typeof step === 'number') clock.advance(step);
        else send(step as BusLinkEvent['type']);
      }
      for (const [index, state] of states.entries()) {
        reached.add(state);
        assert.ok(state !== 'synced' || states[index - 1] !== 'isolated');
      }
    });
    fc.assert(property, { numRuns: 200 });
    assert.equal(reached.size, chartOf(busLinkMachine).states.length);
  });
});
