import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createActor } from 'xstate';
import { instanceActors, instanceMachine } from '#actors/instance/machine.ts';
import { xstateClock } from '#actors/xstate-clock.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

/** An instance that starts at once, and drains when the test says so. */
function launch({ lameDuckMs = 0, graceMs = 30_000 } = {}) {
  const clock = new VirtualClock();
  let tellDrained = () => {};
  const machine = instanceMachine.provide({
    actors: instanceActors({
      start(_, machine) {
        machine.tell({ type: 'instance.started' });
        return undefined;
      },
      drain(_, machine) {
        tellDrained = () => machine.tell({ type: 'workers.drained' });
        return undefined;
      },
    }),
  });
  const actor = createActor(machine, { input: { lameDuckMs, graceMs }, clock: xstateClock(clock) });
  actor.start();
  const state = () => actor.getSnapshot().value;
  return {
    actor,
    clock,
    state,
    stop: () => actor.send({ type: 'stop.requested' }),
    drained: () => tellDrained(),
  };
}

describe('the instance machine', () => {
  it('drains, and stops as soon as nothing is under way', () => {
    const { actor, clock, state, stop, drained } = launch();
    assert.equal(state(), 'ready');
    stop();
    clock.advance(0);
    assert.equal(state(), 'draining');
    drained();
    assert.deepEqual(actor.getSnapshot().output, { isClean: true, error: null });
  });

  it('is unready, but accepts, for as long as load balancers need to notice', () => {
    const { clock, state, stop } = launch({ lameDuckMs: 5000 });
    stop();
    assert.equal(state(), 'lame');
    clock.advance(4999);
    assert.equal(state(), 'lame');
    clock.advance(1);
    assert.equal(state(), 'draining');
  });

  it('stops uncleanly when the grace is over', () => {
    const { actor, clock, stop } = launch({ graceMs: 1000 });
    stop();
    clock.advance(0);
    clock.advance(1000);
    assert.deepEqual(actor.getSnapshot().output, { isClean: false, error: null });
  });

  it('stops at once when it is asked twice', () => {
    const { state, clock, stop } = launch();
    stop();
    clock.advance(0);
    stop();
    assert.equal(state(), 'stopped');
  });

  it('stops, and knows why, when it cannot start', () => {
    const error = new Error('port taken');
    const machine = instanceMachine.provide({
      actors: instanceActors({
        start(_, machine) {
          machine.tell({ type: 'instance.failed', error });
          return undefined;
        },
        drain: () => undefined,
      }),
    });
    const actor = createActor(machine, { input: { lameDuckMs: 0, graceMs: 0 } });
    actor.start();
    assert.deepEqual(actor.getSnapshot().output, { isClean: true, error });
  });
});
