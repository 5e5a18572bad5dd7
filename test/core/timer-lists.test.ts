import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { TimerLists } from '#core/timer-lists.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

/** A platform whose timers come as early as it may be, and which reads sockets when it is told to, or at once. */
function scene(earlyMs = 0, afterReads = (action: () => void) => action()) {
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const lists = new TimerLists({
    monotonicMs: () => clock.monotonicMs(),
    wakeAfter: (delayMs, wake) => {
      assert.ok(Number.isInteger(delayMs) && delayMs >= 1 && delayMs < 2 ** 31, `${delayMs}`);
      clock.after(Math.max(delayMs - earlyMs, 0.1), wake);
    },
    afterReads,
  });
  return { clock, lists, elapsedMs: () => clock.monotonicMs() - startMs };
}

describe('timers in lists', () => {
  it('fire when they are due, however they are set and cancelled', () => {
    const delays = fc.constantFrom(1, 5, 7, 20);
    const anyStep = fc.oneof(
      fc.record({ set: delays }),
      fc.record({ cancel: fc.nat({ max: 30 }) }),
      fc.record({ pass: fc.integer({ min: 1, max: 12 }) }),
    );
    const property = fc.property(fc.array(anyStep, { maxLength: 60 }), (steps) => {
      const runs = ['in lists', 'by themselves'].map((how) => {
        const { clock, lists, elapsedMs } = scene();
        const timers = how === 'in lists' ? lists : clock;
        const fired: string[] = [];
        const set: { cancel(): void }[] = [];
        for (const step of steps) {
          if ('pass' in step) clock.advance(step.pass);
          else if ('cancel' in step) set[step.cancel]?.cancel();
          else {
            const name = set.length;
            set.push(timers.after(step.set, () => fired.push(`${name} at ${elapsedMs()}`)));
          }
        }
        clock.advance(100);
        return fired.toSorted();
      });
      assert.deepEqual(runs[0], runs[1]);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('never fire before their time, though the platform wakes early', () => {
    const { clock, lists, elapsedMs } = scene(0.7);
    const fired: number[] = [];
    lists.after(10, () => fired.push(elapsedMs()));
    lists.after(2.5, () => fired.push(elapsedMs()));
    clock.advance(50);
    assert.equal(fired.length, 2);
    assert.ok(Number(fired[0]) >= 2.5 && Number(fired[1]) >= 10, `${fired}`);
  });

  it('do not fire when what is read before that cancels them', () => {
    // A thread that stood still for longer than an upstream had time gave up answers that it had yet to read.
    const read: (() => void)[] = [];
    const { clock, lists } = scene(0, (action) => read.push(action));
    const fired: string[] = [];
    const awaited = lists.after(10, () => fired.push('came in time'));
    lists.after(10, () => fired.push('did not'));
    clock.advance(50);
    assert.deepEqual(fired, []);
    awaited.cancel();
    for (const action of read) action();
    assert.deepEqual(fired, ['did not']);
    clock.advance(10);
    for (const action of read.splice(0)) action();
    assert.equal(clock.timers, 0);
  });

  it('fire when their list was ended after delays with and without a fraction', () => {
    // Where a list was at hand for both kinds, it was forgotten for one: the other set timers in it for ever.
    const { clock, lists } = scene();
    const fired: number[] = [];
    for (const delayMs of [8, 7.5]) lists.after(delayMs, () => fired.push(delayMs));
    clock.advance(20);
    for (const delayMs of [8, 7.5]) lists.after(delayMs, () => fired.push(delayMs));
    clock.advance(20);
    assert.deepEqual(fired, [8, 7.5, 8, 7.5]);
  });

  it('take one timer of the platform for each delay, however many are set, and none in the end', () => {
    const { clock, lists } = scene();
    for (let set = 0; set < 1000; set++) lists.after(set % 2 === 0 ? 1000 : 3000, () => {}).cancel();
    assert.equal(clock.timers, 2);
    clock.advance(3000);
    assert.equal(clock.timers, 0);
  });

  it('fire all the same behind one that throws', () => {
    const { clock, lists } = scene();
    const fired: string[] = [];
    lists.after(5, () => {
      throw new Error('a mistake');
    });
    lists.after(5, () => fired.push('next'));
    assert.throws(() => clock.advance(5), /a mistake/);
    clock.advance(1);
    assert.deepEqual(fired, ['next']);
  });

  it('can be set again by what they call, and be cancelled by it', () => {
    const { clock, lists, elapsedMs } = scene();
    const fired: number[] = [];
    const again = () => {
      fired.push(elapsedMs());
      if (fired.length < 3) lists.after(10, again);
      other.cancel();
    };
    lists.after(10, again);
    const other = lists.after(10, () => fired.push(-1));
    clock.advance(100);
    assert.deepEqual(fired, [10, 20, 30]);
  });

  it('fire after a millisecond where no time was given, and never where it has no end', () => {
    const { clock, lists, elapsedMs } = scene();
    const fired: number[] = [];
    for (const delayMs of [0, -5, Number.NaN]) lists.after(delayMs, () => fired.push(elapsedMs()));
    lists.after(Infinity, () => fired.push(-1)).cancel();
    clock.advance(1000);
    assert.deepEqual(fired, [1, 1, 1]);
  });
});
