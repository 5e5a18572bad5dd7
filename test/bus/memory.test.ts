import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryBus } from '#bus/memory.ts';
import { WATCH_PENDING_MAX } from '#bus/memory-watch.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { testBusContract, view } from './contract.ts';

testBusContract('in-process bus', async (t) => {
  const clock = new VirtualClock();
  const bus = new MemoryBus({ clock, log: keptLog().log });
  t.after(() => bus[Symbol.asyncDispose]());
  return { first: bus, second: bus, pass: (ms) => clock.advance(ms) };
});

describe('a watch of the in-process bus', () => {
  it('begins again when more changes at once than it keeps', async () => {
    const { log } = keptLog();
    await using bus = new MemoryBus({ clock: new VirtualClock(), log });
    const bucket = bus.bucket('things', { entryMsMax: null, bytesMax: 1024 * 1024 });
    const { told, content } = view(bucket);
    await until('the content is told', () => told.length === 1);
    const { signal } = new AbortController();
    const keys = Array.from({ length: WATCH_PENDING_MAX + 5 }, (_, index) => `key-${index}`);
    await Promise.all(keys.map((key) => bucket.put(key, new Uint8Array(), signal)));
    await until('all is told', () => content.size === keys.length);
    assert.deepEqual([told.length, bus.counts.rereads], [2, 1]);
  });
});
