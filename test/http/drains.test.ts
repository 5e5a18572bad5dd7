import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Upstream } from '#core/table.ts';
import { Drains } from '#http/drains.ts';
import { samplePool, sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

function scene() {
  const clock = new VirtualClock();
  const drains = new Drains(clock);
  const cuts: string[] = [];
  const follow = (...upstreams: Upstream[]) =>
    drains.follow({ pools: { default: samplePool({ upstreams }) } });
  /** Returns what ends the answer. */
  const join = (upstream: Upstream, name: string) => {
    const answer = { place: -1, cut: () => void cuts.push(name) };
    drains.join(upstream, answer);
    return () => drains.leave(upstream, answer);
  };
  return { clock, cuts, follow, join };
}

const red = (changes: Partial<Upstream> = {}) =>
  sampleUpstream({ name: 'red', slot: 0, drainMs: 1000, ...changes });
const blue = sampleUpstream({ name: 'blue', slot: 1 });

describe('a drain', () => {
  for (const state of ['drain', 'maintenance'] as const) {
    it(`cuts what is under way with an upstream in ${state} when its time is over, and nothing else`, () => {
      const { clock, cuts, follow, join } = scene();
      follow(red(), blue);
      join(red(), 'websocket');
      join(blue, 'other');
      const leave = join(red(), 'short');
      clock.advance(5000);
      follow(red({ state }), blue);
      leave();
      clock.advance(999);
      assert.deepEqual(cuts, []);
      clock.advance(1);
      assert.deepEqual(cuts, ['websocket']);
    });
  }

  it('cuts what is under way with an upstream that was removed', () => {
    const { clock, cuts, follow, join } = scene();
    follow(red(), blue);
    join(red(), 'websocket');
    follow(blue);
    follow(blue);
    clock.advance(1000);
    assert.deepEqual(cuts, ['websocket']);
  });

  it('cuts at once what begins after its time, with a request from before', () => {
    const { clock, cuts, follow, join } = scene();
    follow(red({ state: 'drain' }));
    clock.advance(1000);
    join(red(), 'late');
    assert.deepEqual(cuts, ['late']);
  });

  it('is over when the upstream is ready again', () => {
    const { clock, cuts, follow, join } = scene();
    follow(red());
    join(red(), 'websocket');
    follow(red({ state: 'drain' }));
    clock.advance(999);
    follow(red());
    clock.advance(5000);
    follow(red({ state: 'drain' }));
    clock.advance(999);
    assert.deepEqual(cuts, []);
  });

  it('has the time that is said last, from its beginning', () => {
    const { clock, cuts, follow, join } = scene();
    follow(red());
    join(red(), 'websocket');
    follow(red({ state: 'drain' }));
    clock.advance(600);
    follow(red({ state: 'maintenance', drainMs: 700 }));
    clock.advance(99);
    assert.deepEqual(cuts, []);
    clock.advance(1);
    assert.deepEqual(cuts, ['websocket']);
    follow(red({ state: 'drain', drainMs: 0 }));
    assert.equal(clock.timers, 1);
  });

  it('of an upstream is none of whoever gets its slot', () => {
    const { clock, cuts, follow, join } = scene();
    follow(red());
    follow(sampleUpstream({ name: 'green', slot: 0 }));
    join(sampleUpstream({ name: 'green', slot: 0 }), 'green');
    clock.advance(60_000);
    assert.deepEqual(cuts, []);
  });
});
