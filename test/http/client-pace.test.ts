import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ClientPace } from '#http/client-pace.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const IDLE_MS = 60_000;
const WINDOW_MS = 10_000;
const RATE = 100;

function scene() {
  const clock = new VirtualClock();
  const pace = new ClientPace(clock, WINDOW_MS);
  pace.begin();
  return { clock, pace };
}

describe('a client that has to send', () => {
  it('may stop for a window, or for the idle time where that is shorter', () => {
    const { clock, pace } = scene();
    pace.expect(IDLE_MS, RATE);
    assert.equal(pace.mayTakeMs(true, 0), WINDOW_MS);
    clock.advance(4000);
    assert.equal(pace.mayTakeMs(true, 0), 6000);
    pace.expect(1000, RATE);
    assert.equal(pace.mayTakeMs(true, 0), 1000);
  });

  it('has as much time again as what it sent may have taken, and no more than a window', () => {
    const { clock, pace } = scene();
    pace.expect(IDLE_MS, RATE);
    clock.advance(4000);
    pace.received(100);
    assert.equal(pace.mayTakeMs(true, 0), 7000);
    pace.received(1_000_000);
    assert.equal(pace.mayTakeMs(true, 0), WINDOW_MS);
  });

  it('loses no time while it waits for us, and wins none', () => {
    const { clock, pace } = scene();
    pace.expect(IDLE_MS, RATE);
    clock.advance(4000);
    pace.expect(0, RATE);
    assert.equal(pace.idleMs, 0);
    clock.advance(100_000);
    pace.expect(IDLE_MS, RATE);
    pace.expect(IDLE_MS, RATE);
    assert.equal(pace.mayTakeMs(true, 0), 6000);
  });

  it('has only its idle time where there is no rate', () => {
    const { clock, pace } = scene();
    pace.expect(IDLE_MS, 0);
    clock.advance(50_000);
    assert.equal(pace.mayTakeMs(true, 0), IDLE_MS);
  });

  it('is never too slow at the rate, and always at less in the end', () => {
    const anyMs = fc.integer({ min: 1, max: WINDOW_MS - 100 });
    fc.assert(
      fc.property(fc.array(anyMs, { minLength: 1, maxLength: 50 }), (waits) => {
        const { clock, pace } = scene();
        pace.expect(IDLE_MS, RATE);
        for (const ms of waits) {
          clock.advance(ms);
          assert.ok(pace.mayTakeMs(true, 0) > 0);
          pace.received(Math.ceil((ms * RATE) / 1000));
        }
        for (let times = 0; times < 100 && pace.mayTakeMs(true, 0) > 0; times++) {
          clock.advance(1000);
          pace.received(RATE / 2);
        }
        assert.equal(pace.mayTakeMs(true, 0), 0);
      }),
    );
  });
});

describe('a client that has to read', () => {
  it('has a window, more where there is more to read, and never more than the idle time', () => {
    const { pace } = scene();
    pace.expect(IDLE_MS, RATE);
    assert.equal(pace.mayTakeMs(false, 1), WINDOW_MS);
    assert.equal(pace.mayTakeMs(false, 2000), 20_000);
    assert.equal(pace.mayTakeMs(false, 1_000_000), IDLE_MS);
  });

  it('may be waiting for us where there is nothing, and has its idle time where there is no rate', () => {
    const { pace } = scene();
    pace.expect(IDLE_MS, RATE);
    assert.equal(pace.mayTakeMs(false, 0), IDLE_MS);
    pace.expect(IDLE_MS, 0);
    assert.equal(pace.mayTakeMs(false, 1), IDLE_MS);
  });

  it('was waiting for us where it was hurried, and has read all', () => {
    const { pace } = scene();
    pace.expect(IDLE_MS, RATE);
    pace.mayTakeMs(false, 1);
    assert.ok(!pace.hasCaughtUp(1));
    pace.mayTakeMs(false, 1);
    assert.ok(pace.hasCaughtUp(0));
    assert.ok(!pace.hasCaughtUp(0));
    pace.mayTakeMs(false, 0);
    assert.ok(!pace.hasCaughtUp(0));
  });
});
