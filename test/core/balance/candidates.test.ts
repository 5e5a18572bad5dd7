import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AvoidanceView, CandidateSet } from '#core/balance/candidates.ts';
import type { Pool } from '#core/table.ts';
import { upstreams } from './pool.ts';

const POOL: Pool = { name: 'default', strategy: { kind: 'random' }, upstreams: upstreams(1, 1, 1), slot: 7 };

describe('CandidateSet', () => {
  it('holds the whole pool while nothing is avoided', () => {
    const { upstreams, members, poolSlot } = new CandidateSet(POOL, new Avoidance()).at(0);
    assert.equal(upstreams, POOL.upstreams);
    assert.equal(members, POOL.upstreams);
    assert.equal(poolSlot, 7);
  });

  it('leaves an upstream out from the event on until its time is over', () => {
    const avoidance = new Avoidance();
    const set = new CandidateSet(POOL, avoidance);
    set.at(0);
    avoidance.avoid(1, 100);
    assert.deepEqual(namesAt(set, 10), ['a', 'c']);
    assert.deepEqual(namesAt(set, 99.9), ['a', 'c']);
    assert.deepEqual(namesAt(set, 100), ['a', 'b', 'c']);
  });

  it('wakes for the earliest of several deadlines', () => {
    const avoidance = new Avoidance();
    const set = new CandidateSet(POOL, avoidance);
    avoidance.avoid(0, 300);
    avoidance.avoid(2, 200);
    assert.deepEqual(namesAt(set, 10), ['b']);
    assert.deepEqual(namesAt(set, 200), ['b', 'c']);
    assert.deepEqual(namesAt(set, 300), ['a', 'b', 'c']);
  });

  it('holds the whole pool when all are avoided', () => {
    // It was empty, and every request was refused until the first of them had served its time.
    const avoidance = new Avoidance();
    const set = new CandidateSet(POOL, avoidance);
    for (const { slot } of POOL.upstreams) avoidance.avoid(slot, 100 + slot);
    assert.equal(set.at(10), set.all);
    assert.deepEqual(namesAt(set, 10), ['a', 'b', 'c']);
    assert.deepEqual(namesAt(set, 100), ['a']);
  });

  it('tells of an upstream in doubt while it is no longer avoided', () => {
    const avoidance = new Avoidance();
    const set = new CandidateSet(POOL, avoidance);
    avoidance.avoid(1, 100);
    assert.deepEqual(
      [10, 100].map((now) => [namesAt(set, now).length, set.hasDoubtful]),
      [
        [2, false],
        [3, true],
      ],
    );
  });

  it('reads the deadlines only after an event or when one has passed', () => {
    const avoidance = new Avoidance();
    const set = new CandidateSet(POOL, avoidance);
    avoidance.avoid(1, 100);
    const first = set.at(10);
    const reads = avoidance.reads;
    for (let now = 11; now < 100; now++) assert.equal(set.at(now), first);
    assert.equal(avoidance.reads, reads);
    set.at(100);
    assert.equal(avoidance.reads, reads + POOL.upstreams.length);
  });

  it('stays the same object through events of other pools', () => {
    const avoidance = new Avoidance();
    const set = new CandidateSet(POOL, avoidance);
    const whole = set.at(0);
    avoidance.avoid(99, 100);
    assert.equal(set.at(10), whole);
    avoidance.avoid(0, 100);
    const part = set.at(10);
    assert.notEqual(part, whole);
    avoidance.avoid(98, 100);
    assert.equal(set.at(10), part);
  });
});

class Avoidance implements AvoidanceView {
  reads = 0;
  #epoch = 0;
  readonly #untilMs = new Map<number, number>();

  avoid(slot: number, untilMs: number): void {
    this.#untilMs.set(slot, untilMs);
    this.#epoch++;
  }

  epoch(): number {
    return this.#epoch;
  }

  avoidedUntilMs(slot: number): number {
    this.reads++;
    return this.#untilMs.get(slot) ?? 0;
  }

  isDoubtful(slot: number): boolean {
    return this.#untilMs.has(slot);
  }

  claimProbe(): boolean {
    return true;
  }
}

function namesAt(set: CandidateSet, nowMs: number): string[] {
  return set.at(nowMs).upstreams.map(({ name }) => name);
}
