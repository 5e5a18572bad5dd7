import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { BroadcastChannel } from 'node:worker_threads';
import { NO_TOKENS, Workers, type WorkersOptions } from '#control/workers.ts';
import { createSharedState } from '#shared/state.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { sampleSettings } from '#test/support/sample-settings.ts';
import { sampleTable } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import type { Order, Report, Script } from './fixtures/worker.ts';

let channels = 0;

/** Two workers that begin as told; they report, and do what they are ordered to. */
function scene(t: TestContext, begin: Script['begin'] = ['serves', 'serves']) {
  const name = `workers-test-${process.pid}-${channels++}`;
  const channel = new BroadcastChannel(name);
  const reports: Report[] = [];
  channel.onmessage = (event) => reports.push((event as { data: Report }).data);
  t.after(() => channel.close());
  const entry = new URL('./fixtures/worker.ts', import.meta.url);
  const healthBody = JSON.stringify({ channel: name, begin } satisfies Script);

  const settings = sampleSettings(2);
  const shared = createSharedState(settings);
  const clock = new VirtualClock();
  const { log, lines } = keptLog();
  const answer = async () => null;
  const options: WorkersOptions = {
    entry,
    settings,
    shared,
    reusePort: true,
    answer,
    tokens: NO_TOKENS,
    tls: () => null,
    onFailing: () => {},
    clock,
    log,
  };

  const table = (revision: number) => sampleTable({ revision, healthBody });
  const start = async () => {
    const workers = new Workers(options, table(1));
    t.after(() => workers.cut());
    await workers.start();
    return workers;
  };
  const heard = (event: string, worker: number) =>
    reports.filter((report) => report.event === event && report.worker === worker);
  const hears = (event: string, worker: number, times = 1) =>
    until(`worker ${worker}: ${event}`, () => heard(event, worker).length >= times);
  const order = (to: number, act: Order['act']) => channel.postMessage({ to, act } satisfies Order);
  return { start, table, heard, hears, order, shared, clock, lines };
}

describe('workers', () => {
  it('serve from the table that they were started with, and from each that is published', async (t) => {
    const { start, table, heard, hears } = scene(t);
    const workers = await start();
    assert.equal(new Set(workers.threadIds).size, 2);
    for (const worker of [0, 1]) await hears('began', worker);
    assert.deepEqual([heard('began', 0)[0]?.revision, heard('began', 1)[0]?.revision], [1, 1]);
    workers.publish(table(2));
    for (const worker of [0, 1]) {
      await hears('table', worker);
      assert.equal(heard('table', worker)[0]?.revision, 2);
    }
  });

  it('end all at once with a cut', async (t) => {
    const { start, clock } = scene(t);
    const workers = await start();
    await workers.cut();
    assert.deepEqual(workers.threadIds, [-1, -1]);
    clock.advance(60_000);
    assert.deepEqual(workers.threadIds, [-1, -1]);
  });
});

describe('a worker that cannot begin', () => {
  const errors = {
    refuses: { code: 'EADDRINUSE', message: 'the port is taken' },
    throws: { code: 'worker_crashed', message: 'cannot begin' },
    exits: { code: 'worker_ended', message: 'Worker 1 ended before it served.' },
  };
  for (const how of ['refuses', 'throws', 'exits'] as const) {
    // One that exits was waited for without end.
    it(`because it ${how} stops the start, and leaves no thread`, { timeout: 5000 }, async (t) => {
      const { start, hears, heard, clock } = scene(t, ['serves', how]);
      await assert.rejects(start(), errors[how]);
      await hears('began', 1);
      clock.advance(60_000);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.ok(heard('began', 0).length <= 1 && heard('began', 1).length === 1);
    });
  }
});

describe('a worker that crashes', () => {
  for (const act of ['throw', 'exit'] as const) {
    it(`with ${act} is replaced, and what it held is given back`, async (t) => {
      const { start, table, hears, heard, order, shared, clock, lines } = scene(t);
      const workers = await start();
      order(0, 'hold');
      order(1, 'hold');
      for (const worker of [0, 1]) await hears('held', worker);
      assert.deepEqual([shared.connections.total, shared.upstreams.inFlight(5)], [6, 2]);
      const [before] = workers.threadIds;
      order(0, act);
      await until('its places are free', () => shared.connections.total === 3);
      assert.equal(shared.upstreams.inFlight(5), 1);

      workers.publish(table(7));
      clock.advance(99);
      assert.equal(heard('began', 0).length, 1);
      clock.advance(1);
      await hears('began', 0, 2);
      assert.equal(heard('began', 0)[1]?.revision, 7);
      assert.notEqual(workers.threadIds[0], before);
      assert.equal(heard('began', 1).length, 1);
      assert.ok(lines.some((line) => line.includes('worker ended; it will be replaced')));
    });
  }

  it('again and again is replaced ever later, up to a bound, and sooner once it has lived', async (t) => {
    const { start, hears, heard, order, clock, lines } = scene(t);
    const workers = await start();
    const waits = (times: number) =>
      until(
        'its end is noticed',
        () => lines.filter((line) => line.includes('will be replaced')).length === times,
      );
    const delaysMs = [100, 200, 400, 800, 1600, 3200, 5000, 5000];
    for (const [crashes, delayMs] of delaysMs.entries()) {
      order(0, 'throw');
      await waits(crashes + 1);
      clock.advance(delayMs - 1);
      assert.equal(workers.threadIds[0], -1);
      clock.advance(1);
      await hears('began', 0, crashes + 2);
    }
    clock.advance(30_000);
    order(0, 'throw');
    await waits(delaysMs.length + 1);
    clock.advance(100);
    await hears('began', 0, delaysMs.length + 2);
    assert.equal(heard('began', 1).length, 1);
  });
});

describe('a drain', () => {
  it('is over when every worker has said so, and not before', async (t) => {
    const { start, hears, order } = scene(t);
    const workers = await start();
    let isDrained = false;
    const drained = workers.drain().then(() => {
      isDrained = true;
    });
    for (const worker of [0, 1]) await hears('drain', worker);
    order(0, 'drained');
    order(0, 'drained');
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.ok(!isDrained);
    order(1, 'drained');
    await drained;
  });

  it('does not wait for a worker that dies meanwhile, nor replaces it', async (t) => {
    const { start, hears, heard, order, clock } = scene(t);
    const workers = await start();
    const drained = workers.drain();
    await hears('drain', 0);
    order(1, 'drained');
    order(0, 'throw');
    await drained;
    clock.advance(60_000);
    assert.equal(heard('began', 0).length, 1);
  });

  it('does not wait for a worker that is dead and about to be replaced', async (t) => {
    const { start, order, heard, shared, clock, hears, lines } = scene(t);
    const workers = await start();
    order(0, 'throw');
    await until('its end is noticed', () => lines.some((line) => line.includes('will be replaced')));
    const drained = workers.drain();
    await hears('drain', 1);
    order(1, 'drained');
    await drained;
    clock.advance(60_000);
    assert.equal(heard('began', 0).length, 1);
    assert.equal(shared.connections.total, 0);
  });
});
