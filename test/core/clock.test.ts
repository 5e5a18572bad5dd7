import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { atOnce, punctualClock, sleep, systemClock } from '#core/clock.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

describe('the system clock', () => {
  it('reads the same in every thread', async () => {
    // Threads were up to a millisecond apart: the first reading of the common clock takes that long.
    const worker = new Worker(new URL('./clock-thread.ts', import.meta.url));
    const beforeMs = systemClock.monotonicMs();
    const { promise, resolve } = Promise.withResolvers<number>();
    worker.once('message', resolve);
    const thereMs = await promise;
    const afterMs = systemClock.monotonicMs();
    assert.ok(beforeMs <= thereMs && thereMs <= afterMs, `${beforeMs} ≤ ${thereMs} ≤ ${afterMs}`);
  });

  it('never steps back', () => {
    let lastMs = systemClock.monotonicMs();
    for (let reads = 0; reads < 10_000; reads++) {
      const nowMs = systemClock.monotonicMs();
      assert.ok(nowMs >= lastMs);
      lastMs = nowMs;
    }
  });

  it('fires a timer unless it is cancelled', async () => {
    const fired: string[] = [];
    // Unlike those of the clock, it keeps the process alive.
    const alive = setInterval(() => {}, 1000);
    await new Promise<void>((resolve) => {
      systemClock.after(1, () => fired.push('cancelled')).cancel();
      systemClock.after(1, () => fired.push('kept'));
      systemClock.after(1, resolve);
    });
    clearInterval(alive);
    assert.deepEqual(fired, ['kept']);
  });

  it('reads what has come while the thread stood still before it fires a timer, unless that is punctual', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const near = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const [far] = (await accepted) as [Socket];
    const seen: string[] = [];
    near.once('data', () => {
      seen.push('read');
      // As what is written at the end of the turn.
      setImmediate(() => seen.push('written'));
    });
    const { promise: fired, resolve } = Promise.withResolvers<void>();
    // It wakes up where timers are what comes next.
    await nextTurn();
    systemClock.after(1, () => {
      seen.push('fired');
      resolve();
    });
    punctualClock.after(1, () => seen.push('punctual'));
    punctualClock.after(1, () => seen.push('cancelled')).cancel();
    far.end('in time');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    await fired;
    assert.deepEqual(seen, ['punctual', 'read', 'written', 'fired']);
  });
});

describe('a callback that is at once', () => {
  const pass = () => {
    const from = process.hrtime.bigint();
    while (process.hrtime.bigint() - from < 10_000n);
  };

  it('sees one time while it runs, however often it looks', () => {
    const beforeMs = systemClock.monotonicMs();
    const look = atOnce((looks: number) =>
      Array.from({ length: looks }, () => {
        pass();
        return systemClock.monotonicMs();
      }),
    );
    const [seenMs = 0, ...again] = look(3);
    assert.ok(seenMs > beforeMs);
    assert.deepEqual(again, [seenMs, seenMs]);
    pass();
    const afterMs = systemClock.monotonicMs();
    assert.ok(afterMs > seenMs);
    assert.ok((look(1)[0] ?? 0) > afterMs);
  });

  it('shares its time with the one that it is called from', () => {
    const inner = atOnce(() => systemClock.monotonicMs());
    const outer = atOnce(() => {
      const seenMs = inner(null);
      pass();
      return [seenMs, systemClock.monotonicMs()];
    });
    const [innerMs, outerMs] = outer(null);
    assert.equal(innerMs, outerMs);
  });

  it('sees the wall clock as it was within the last millisecond', () => {
    const read = atOnce(() => systemClock.wallMs());
    for (let reads = 0; reads < 1000; reads++) {
      const beforeMs = systemClock.wallMs();
      const seenMs = read(null);
      pass();
      assert.ok(beforeMs - 2 <= seenMs && seenMs <= systemClock.wallMs(), `${beforeMs}, ${seenMs}`);
    }
  });

  it('lets time go on when it throws, and for what it awaits', async () => {
    const fail = atOnce(() => {
      throw new Error(`at ${systemClock.monotonicMs()}`);
    });
    assert.throws(() => fail(null));
    const awaitTime = atOnce(async () => {
      const seenMs = systemClock.monotonicMs();
      pass();
      await null;
      return systemClock.monotonicMs() - seenMs;
    });
    assert.ok((await awaitTime(null)) > 0);
  });
});

describe('a sleep', () => {
  it('ends when its time has come', async () => {
    const clock = new VirtualClock();
    let isAwake = false;
    const sleeping = sleep(clock, 100, new AbortController().signal).then(() => {
      isAwake = true;
    });
    await clock.advanceAsync(99);
    assert.ok(!isAwake);
    await clock.advanceAsync(1);
    await sleeping;
  });

  it('ends at once when it is called off, and leaves no timer', async () => {
    const clock = new VirtualClock();
    const controller = new AbortController();
    const sleeping = sleep(clock, 100, controller.signal);
    controller.abort();
    await sleeping;
    assert.equal(clock.timers, 0);
    await sleep(clock, 100, controller.signal);
    assert.equal(clock.timers, 0);
  });
});
