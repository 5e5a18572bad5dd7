import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Deadline } from '#core/deadline.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

function scene() {
  const clock = new VirtualClock();
  const startMs = clock.monotonicMs();
  const passedAtMs: number[] = [];
  const deadline = new Deadline(clock, { wake: () => passedAtMs.push(clock.monotonicMs() - startMs) });
  return { clock, deadline, passedAtMs };
}

describe('a deadline', () => {
  it('passes when its time has come, once', () => {
    const { clock, deadline, passedAtMs } = scene();
    deadline.set(100);
    clock.advance(99);
    assert.deepEqual(passedAtMs, []);
    clock.advance(1000);
    assert.deepEqual(passedAtMs, [100]);
    assert.equal(clock.timers, 0);
  });

  it('passes later when it is set anew, for the price of one timer', () => {
    const { clock, deadline, passedAtMs } = scene();
    for (let piece = 0; piece < 10; piece++) {
      deadline.set(100);
      assert.equal(clock.timers, 1);
      clock.advance(30);
    }
    clock.advance(1000);
    assert.deepEqual(passedAtMs, [370]);
  });

  it('passes sooner when it is set so', () => {
    const { clock, deadline, passedAtMs } = scene();
    deadline.set(1000);
    deadline.set(10);
    assert.equal(clock.timers, 1);
    clock.advance(2000);
    assert.deepEqual(passedAtMs, [10]);
  });

  it('does not pass once it is cleared, until it is set again', () => {
    const { clock, deadline, passedAtMs } = scene();
    deadline.set(100);
    deadline.clear();
    clock.advance(1000);
    deadline.set(100);
    clock.advance(1000);
    assert.deepEqual(passedAtMs, [1100]);
  });

  it('leaves no timer when it is cancelled, and can be set again', () => {
    const { clock, deadline, passedAtMs } = scene();
    deadline.set(100);
    deadline.cancel();
    assert.equal(clock.timers, 0);
    deadline.set(50);
    clock.advance(50);
    assert.deepEqual(passedAtMs, [50]);
  });

  it('does not pass early where a timer does', () => {
    const { clock, deadline, passedAtMs } = scene();
    const { after } = clock;
    clock.after = (delayMs, action) => after.call(clock, delayMs * 0.9, action);
    deadline.set(100);
    clock.advance(99);
    assert.deepEqual(passedAtMs, []);
    clock.advance(2);
    assert.equal(passedAtMs.length, 1);
  });

  it('passes exactly when the last thing that was said of it comes true, whatever was said', () => {
    const step = fc.oneof(
      fc.record({ does: fc.constant('set' as const), ms: fc.integer({ min: 1, max: 300 }) }),
      fc.record({ does: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 300 }) }),
      fc.record({ does: fc.constantFrom('clear' as const, 'cancel' as const), ms: fc.constant(0) }),
    );
    const property = fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { clock, deadline, passedAtMs } = scene();
      const expected: number[] = [];
      let nowMs = 0;
      let dueMs = Infinity;
      for (const { does, ms } of steps) {
        if (does === 'wait') {
          clock.advance(ms);
          nowMs += ms;
          if (dueMs <= nowMs) {
            expected.push(dueMs);
            dueMs = Infinity;
          }
        } else if (does === 'set') {
          deadline.set(ms);
          dueMs = nowMs + ms;
        } else {
          deadline[does]();
          dueMs = Infinity;
        }
        assert.ok(clock.timers <= 1);
      }
      assert.deepEqual(passedAtMs, expected);
    });
    fc.assert(property, { numRuns: 500 });
  });
});
