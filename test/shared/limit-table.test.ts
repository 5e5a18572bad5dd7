import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Quota } from '#core/table.ts';
import { LimitTable } from '#shared/limit-table.ts';

const START_MS = 1_000_000;

const once: Quota = { kind: 'gcra', requests: 1, windowMs: 60_000, burst: 1 };
const hundredAMinute: Quota = { kind: 'gcra', requests: 100, windowMs: 60_000, burst: 10 };
const tenAMinute: Quota = { kind: 'sliding_window', requests: 10, windowMs: 60_000 };

function tableOf(keysMax: number): LimitTable {
  return LimitTable.create({ keysMax, hashKey: [0x0123_4567, 0x89ab_cdef] });
}

function allowed(table: LimitTable, key: string, quota: Quota, nowMs: number, requests: number): number {
  let count = 0;
  for (let i = 0; i < requests; i++) if (table.take(key, quota, nowMs, false).allowed) count++;
  return count;
}

describe('limit table', () => {
  for (const quota of [hundredAMinute, tenAMinute]) {
    it(`holds each key to its own quota (${quota.kind})`, () => {
      const table = tableOf(1_024);
      for (let key = 0; key < 100; key++)
        assert.equal(allowed(table, `client ${key}`, quota, START_MS, 15), 10);
      assert.equal(allowed(table, 'client 7', quota, START_MS, 15), 0);
      assert.equal(allowed(table, 'client 7', quota, START_MS + 60_000, 15), 10);
    });

    it(`says what is left and when (${quota.kind})`, () => {
      const { allowed, remaining } = tableOf(8).take('client', quota, START_MS, false);
      assert.deepEqual({ allowed, remaining }, { allowed: true, remaining: 9 });
    });
  }

  it('serves threads that share its memory as one', () => {
    const table = tableOf(1_024);
    const attached = LimitTable.attach(table.memory, 0);
    assert.equal(allowed(table, 'client', tenAMinute, START_MS, 4), 4);
    assert.equal(allowed(attached, 'client', tenAMinute, START_MS, 10), 6);
  });

  it('starts afresh when the quota of a key changes, in the configuration or by its tier', () => {
    const table = tableOf(1_024);
    allowed(table, 'client', tenAMinute, START_MS, 10);
    assert.equal(allowed(table, 'client', { ...tenAMinute, requests: 20 }, START_MS, 30), 20);
    assert.equal(allowed(table, 'client', { ...tenAMinute, windowMs: 1_000 }, START_MS, 30), 10);
    assert.equal(allowed(table, 'client', tenAMinute, START_MS, 30), 0);
  });

  it('counts the keys in use, and no idle ones', () => {
    const table = tableOf(1_024);
    for (let key = 0; key < 30; key++)
      table.take(`client ${key}`, key % 2 ? once : tenAMinute, START_MS + key, false);
    assert.equal(table.keysInUse(START_MS + 30), 30);
    assert.equal(table.keysInUse(START_MS + 60_000 + 9), 20);
    assert.equal(table.keysInUse(START_MS + 60_000 + 29), 0);
  });
});

describe('a full limit table', () => {
  it('gives the cells of idle keys to new ones', () => {
    const table = tableOf(8);
    for (let key = 0; key < 8; key++) table.take(`old ${key}`, once, START_MS + (key === 5 ? 0 : 1), false);
    table.take('new', once, START_MS + 60_000, false);
    assert.equal(table.take('new', once, START_MS + 60_000, false).allowed, false);
    for (const key of [0, 1, 2, 3, 4, 6, 7])
      assert.equal(table.take(`old ${key}`, once, START_MS + 60_000, false).allowed, false);
  });

  for (const quota of [hundredAMinute, tenAMinute]) {
    it(`forgets who used least, so a flood of keys frees nobody who is held back (${quota.kind})`, () => {
      const table = tableOf(8);
      assert.equal(allowed(table, 'greedy', quota, START_MS + 2_000, 15), 10);
      for (let key = 0; key < 1_000; key++) table.take(`flood ${key}`, quota, START_MS + key, false);
      assert.equal(allowed(table, 'greedy', quota, START_MS + 2_000, 15), 0);
    });
  }

  for (const quota of [hundredAMinute, tenAMinute]) {
    it(`charges a new key nothing that the forgotten one had used (${quota.kind})`, () => {
      const table = tableOf(8);
      for (let key = 0; key < 100; key++)
        assert.equal(allowed(table, `client ${key}`, quota, START_MS, 15), 10);
    });
  }

  for (const quota of [hundredAMinute, tenAMinute]) {
    it(`does not grow with a million keys (${quota.kind})`, () => {
      const keysMax = 10_000;
      const table = tableOf(keysMax);
      for (let key = 0; key < 100_000; key++) table.take(`client ${key}`, quota, START_MS, false);
      const before = process.memoryUsage();
      for (let key = 0; key < 1_000_000; key++) table.take(`client ${key}`, quota, START_MS, false);
      const after = process.memoryUsage();

      assert.equal(table.keysInUse(START_MS), keysMax);
      assert.equal(after.arrayBuffers, before.arrayBuffers);
      assert.ok(after.rss - before.rss < 40 * 2 ** 20, `${(after.rss - before.rss) / 2 ** 20} MiB more`);
    });
  }
});

describe('what was taken of shared limits', () => {
  it('is handed out once, however it comes between', () => {
    const table = tableOf(64);
    const quota: Quota = { kind: 'gcra', requests: 1_000, windowMs: 1, burst: 1_000 };
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ key: fc.nat({ max: 40 }), isShared: fc.boolean() }) },
      { weight: 1, arbitrary: fc.constant(null) },
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        let taken = 0;
        let told = 0;
        const settle = () => table.settle((_low, _high, _quota, count) => (told += count));
        for (const one of [...steps, null]) {
          if (one === null) settle();
          else if (table.take(`client ${one.key}`, quota, START_MS, one.isShared).allowed && one.isShared)
            taken++;
        }
        assert.equal(told, taken);
      }),
    );
  });
});
