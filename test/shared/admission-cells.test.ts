import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AdmissionCells, AVOID_FIRST_MS, AVOID_MAX_MS } from '#shared/admission-cells.ts';
import { UPSTREAM_SLOTS_MAX, UpstreamCells } from '#shared/upstream-cells.ts';

const NOW = 1_000_000;

/** The same cells as two workers see them. */
function views(): [AdmissionCells, AdmissionCells] {
  const cells = UpstreamCells.create(2);
  return [cells.admission, UpstreamCells.attach(cells.memory, 1).admission];
}

describe('an upstream that could not be reached', () => {
  it('is avoided for 100 ms, twice as long with each failure in a row, at most 10 s', () => {
    const [cells] = views();
    let now = NOW;
    const spansMs: number[] = [];
    for (let failure = 0; failure < 9; failure++) {
      cells.reportUnreachable(3, now);
      spansMs.push(cells.avoidedUntilMs(3) - now);
      now = cells.avoidedUntilMs(3);
      assert.ok(cells.isAvoided(3, now - 0.1));
      assert.ok(!cells.isAvoided(3, now));
    }
    assert.deepEqual(spansMs, [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    assert.deepEqual([spansMs[0], spansMs[8]], [AVOID_FIRST_MS, AVOID_MAX_MS]);
  });

  it('is not avoided any more after a success, and for 100 ms after the next failure', () => {
    const [first, second] = views();
    first.reportUnreachable(3, NOW);
    second.reportUnreachable(3, NOW + 100);
    assert.ok(first.isAvoided(3, NOW + 299));
    second.reportReachable(3);
    assert.ok(!first.isAvoided(3, NOW + 299));
    first.reportUnreachable(3, NOW + 299);
    assert.equal(first.avoidedUntilMs(3), NOW + 299 + AVOID_FIRST_MS);
  });

  it('has failed once where attempts fail together', () => {
    const [first, second] = views();
    for (let attempt = 0; attempt < 50; attempt++) {
      first.reportUnreachable(3, NOW + attempt);
      second.reportUnreachable(3, NOW + attempt);
    }
    assert.equal(first.avoidedUntilMs(3), NOW + AVOID_FIRST_MS);
  });

  it('is probed by one worker when its time is over', () => {
    const [first, second] = views();
    first.reportUnreachable(3, NOW);
    assert.ok(!second.claimProbe(3, NOW + 99));
    assert.deepEqual(
      [first, second].map((cells) => cells.claimProbe(3, NOW + 100)),
      [true, false],
    );
    assert.ok(second.isAvoided(3, NOW + 299));
    // The probe failed, which was foreseen; or nobody ever told of it.
    first.reportUnreachable(3, NOW + 110);
    assert.equal(first.avoidedUntilMs(3), NOW + 300);
    assert.ok(second.claimProbe(3, NOW + 300));
    second.reportReachable(3);
    assert.deepEqual([first.isAvoided(3, NOW + 301), first.isDoubtful(3)], [false, false]);
  });

  it('is avoided alone', () => {
    const [cells] = views();
    cells.reportUnreachable(3, NOW);
    assert.ok(!cells.isAvoided(2, NOW) && !cells.isAvoided(4, NOW));
  });
});

describe('the admission of an upstream', () => {
  it('is up unless the control plane says otherwise, to all workers', () => {
    const [control, worker] = views();
    assert.equal(worker.admission(3), 'up');
    for (const admission of ['down', 'drain', 'maintenance', 'up'] as const) {
      control.admit(3, admission, NOW);
      assert.equal(worker.admission(3), admission);
    }
    assert.deepEqual([worker.admission(2), worker.admission(4)], ['up', 'up']);
  });

  it('tells since when it is up again, and nothing if it always was', () => {
    const [control, worker] = views();
    control.admit(3, 'up', NOW);
    assert.equal(worker.recoveredAtMs(3), -Infinity);
    control.admit(3, 'down', NOW + 1);
    assert.equal(worker.recoveredAtMs(3), -Infinity);
    control.admit(3, 'up', NOW + 2);
    control.admit(3, 'up', NOW + 3);
    assert.equal(worker.recoveredAtMs(3), NOW + 2);
  });

  it('ends all doubt when it is up again', () => {
    const [control, worker] = views();
    worker.reportUnreachable(3, NOW);
    control.admit(3, 'down', NOW);
    assert.ok(worker.isAvoided(3, NOW));
    control.admit(3, 'up', NOW);
    assert.deepEqual([worker.isAvoided(3, NOW), worker.isDoubtful(3)], [false, false]);
  });

  it('is forgotten with the upstream', () => {
    const [control, worker] = views();
    control.admit(3, 'down', NOW);
    control.admit(3, 'up', NOW);
    worker.reportUnreachable(3, NOW);
    control.admit(3, 'drain', NOW);
    control.reset(3);
    assert.deepEqual([worker.admission(3), worker.recoveredAtMs(3)], ['up', -Infinity]);
    assert.ok(!worker.isAvoided(3, NOW));
    worker.reportUnreachable(3, NOW);
    assert.equal(worker.avoidedUntilMs(3), NOW + AVOID_FIRST_MS);
  });

  it('has room for every slot', () => {
    const [control, worker] = views();
    const last = UPSTREAM_SLOTS_MAX - 1;
    control.admit(last, 'maintenance', NOW);
    worker.reportUnreachable(last, NOW);
    assert.deepEqual([worker.admission(last), control.isAvoided(last, NOW)], ['maintenance', true]);
  });
});

describe('the epoch', () => {
  it('changes when who may be picked may have changed, and only then', () => {
    const [first, second] = views();
    const changes = (action: () => void) => {
      const before = second.epoch();
      action();
      return second.epoch() !== before;
    };
    const steps: [boolean, () => void][] = [
      [false, () => first.reportReachable(3)],
      [true, () => first.reportUnreachable(3, NOW)],
      [false, () => first.reportUnreachable(3, NOW)],
      [false, () => first.claimProbe(3, NOW)],
      [true, () => first.claimProbe(3, NOW + 100)],
      [true, () => first.reportReachable(3)],
      [false, () => first.admit(3, 'up', NOW)],
      [true, () => first.admit(3, 'down', NOW)],
      [false, () => first.admit(3, 'down', NOW)],
      [true, () => first.reset(3)],
    ];
    assert.deepEqual(
      steps.map(([, action]) => changes(action)),
      steps.map(([expected]) => expected),
    );
  });
});
