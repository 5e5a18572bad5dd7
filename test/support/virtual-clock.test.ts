import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sleep } from '#core/clock.ts';
import { MONOTONIC_START_MS, VirtualClock, WALL_START_MS } from './virtual-clock.ts';

describe('VirtualClock', () => {
  it('stands still until told to move, then moves both clocks', () => {
    const clock = new VirtualClock();
    assert.equal(clock.monotonicMs(), MONOTONIC_START_MS);
    clock.advance(1.5);
    assert.equal(clock.monotonicMs(), MONOTONIC_START_MS + 1.5);
    assert.equal(clock.wallMs(), WALL_START_MS + 1.5);
  });

  it('fires timers when they are due, in order, at their own time', () => {
    const clock = new VirtualClock();
    const fired: [string, number][] = [];
    const note = (name: string) => () => fired.push([name, clock.monotonicMs() - MONOTONIC_START_MS]);
    clock.after(20, note('late'));
    clock.after(10, note('early'));
    clock.after(20, note('late too'));
    clock.after(31, note('never'));
    clock.advance(30);
    assert.deepEqual(fired, [
      ['early', 10],
      ['late', 20],
      ['late too', 20],
    ]);
    assert.equal(clock.timers, 1);
  });

  it('fires in one advance what a timer sets', () => {
    const clock = new VirtualClock();
    let beats = 0;
    const beat = () => {
      beats++;
      clock.after(10, beat);
    };
    clock.after(10, beat);
    clock.advance(100);
    assert.equal(beats, 10);
  });

  it('forgets a cancelled timer', () => {
    const clock = new VirtualClock();
    const timer = clock.after(10, () => assert.fail('fired'));
    timer.cancel();
    timer.cancel();
    clock.advance(100);
    assert.equal(clock.timers, 0);
  });

  it('lets a loop of sleeps run through a long advance', async () => {
    const clock = new VirtualClock();
    const stop = new AbortController();
    let rounds = 0;
    const loop = (async () => {
      while (!stop.signal.aborted) {
        await sleep(clock, 1000, stop.signal);
        rounds++;
      }
    })();
    await clock.advanceAsync(5000);
    assert.equal(rounds, 5);
    stop.abort();
    await loop;
  });

  it('says so when timers never end', () => {
    const clock = new VirtualClock();
    const again = () => void clock.after(0, again);
    clock.after(0, again);
    assert.throws(() => clock.advance(1), /sets? itself again/);
  });
});
