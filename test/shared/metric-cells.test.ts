import assert from 'node:assert/strict';
import { on, once } from 'node:events';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { WORKER_INSTRUMENTS } from '#core/metric-names.ts';
import { MetricCells, type WorkerSeries } from '#shared/metric-cells.ts';
import { LABEL_BYTES_MAX, type Label, SERIES_MAX } from '#shared/series-rows.ts';
import type { Task } from './metric-cells-thread.ts';

const { bounds } = WORKER_INSTRUMENTS.requestDuration;
const WORKERS = 3;

type Sums = Record<string, readonly number[]>;

/** By labels; what had no room is under 'overflow'. */
function read(cells: MetricCells, instrument: 'requestDuration' | 'refusals' | 'activeRequests'): Sums {
  const series = cells
    .read(instrument)
    .map(({ labels, numbers }) => [labels?.join(' ') ?? 'overflow', numbers]);
  return Object.fromEntries(series);
}

function count(series: WorkerSeries, ...labels: Label[]): void {
  series.refusals.add(series.refusals.row(labels), 1);
}

describe('counters', () => {
  it('are summed over the workers, by their labels', () => {
    const cells = MetricCells.create(2);
    const [first, second] = [cells.ofWorker(0), MetricCells.attach(cells.memory).ofWorker(1)];
    count(first, 'overloaded');
    count(second, 'no_route');
    count(second, 'overloaded');
    assert.deepEqual(read(cells, 'refusals'), { overloaded: [2], no_route: [1] });
  });

  it('have nothing to say before they have counted', () => {
    assert.deepEqual(MetricCells.create(1).read('refusals'), []);
  });

  it('tell numbers from texts, and any text from any other', () => {
    const cells = MetricCells.create(1);
    const labels: Label[][] = [[200], ['200'], ['a","b'], ['a', 'b'], ['ä\n']];
    for (const each of labels) count(cells.ofWorker(0), ...each);
    assert.deepEqual(
      cells.read('refusals').map((it) => it.labels),
      labels,
    );
  });
});

describe('histograms', () => {
  it('have an inclusive upper bound for each bucket, and none for the last', () => {
    const cells = MetricCells.create(1);
    const { requestDuration } = cells.ofWorker(0);
    const row = requestDuration.row(['r']);
    for (const value of [0, 0.005, 0.0051, 10, 10.1]) requestDuration.observe(row, value);
    const [numbers = []] = Object.values(read(cells, 'requestDuration'));
    assert.equal(numbers.length, bounds.length + 2);
    assert.deepEqual([numbers[0], numbers[1], numbers[13], numbers[14]], [2, 1, 1, 1]);
    assert.ok(Math.abs((numbers.at(-1) ?? 0) - 20.1101) < 1e-9);
  });
});

describe('whatever workers count', () => {
  const operation = fc.record({
    worker: fc.nat(WORKERS - 1),
    name: fc.constantFrom('a', 'b', 'ü', ''),
    value: fc.constantFrom(0, 0.004, 0.3, 1, 11),
    dies: fc.boolean(),
  });

  it('is what one map would have counted, however often they are replaced', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const cells = MetricCells.create(WORKERS);
        const workers = Array.from({ length: WORKERS }, (_, worker) => cells.ofWorker(worker));
        for (const { worker, name, value, dies } of operations) {
          if (dies) {
            cells.forgetWorker(worker);
            workers[worker] = MetricCells.attach(cells.memory).ofWorker(worker);
          }
          const rows = workers[worker]?.requestDuration ?? assert.fail();
          rows.observe(rows.row([name]), value);
        }
        const expected = Map.groupBy(operations, ({ name }) => name);
        const actual = new Map(Object.entries(read(cells, 'requestDuration')));
        assert.deepEqual([...actual.keys()].toSorted(), [...expected.keys()].toSorted());
        for (const [name, made] of expected) {
          const { counts, sum } = histogramOf(made.map(({ value }) => value));
          assert.deepEqual(actual.get(name)?.slice(0, -1), counts);
          assert.ok(Math.abs((actual.get(name)?.at(-1) ?? 0) - sum) < 1e-9);
        }
      }),
    );
  });
});

/** The plainest way to say what a histogram is. */
function histogramOf(values: readonly number[]) {
  const edges = [Number.NEGATIVE_INFINITY, ...bounds, Number.POSITIVE_INFINITY];
  const counts = edges
    .slice(1)
    .map((upper, index) => values.filter((value) => value > (edges[index] ?? 0) && value <= upper).length);
  return { counts, sum: values.reduce((sum, value) => sum + value, 0) };
}

describe('series without room', () => {
  it('are counted together, and leave those that have room alone', () => {
    const cells = MetricCells.create(1);
    const series = cells.ofWorker(0);
    for (let nth = 0; nth < SERIES_MAX + 10; nth++) count(series, `cause ${nth}`);
    count(series, 'cause 0');
    const sums = read(cells, 'refusals');
    assert.equal(Object.keys(sums).length, SERIES_MAX);
    assert.deepEqual([sums['cause 0'], sums['overflow']], [[2], [11]]);
    assert.deepEqual(read(cells, 'requestDuration'), {});
  });

  it('are those with very long labels, too', () => {
    const cells = MetricCells.create(1);
    // JSON takes two quotes and two brackets.
    count(cells.ofWorker(0), 'x'.repeat(LABEL_BYTES_MAX - 4));
    count(cells.ofWorker(0), 'x'.repeat(LABEL_BYTES_MAX - 3));
    count(cells.ofWorker(0), 'ä'.repeat(LABEL_BYTES_MAX / 2));
    assert.deepEqual(read(cells, 'refusals'), { ['x'.repeat(LABEL_BYTES_MAX - 4)]: [1], overflow: [2] });
  });

  it('a worker without a region is refused', () => {
    assert.throws(() => MetricCells.create(2).ofWorker(2), /worker 2 has no metric cells/);
  });
});

describe('a worker thread that dies', () => {
  it('leaves what it counted to its successor, who goes on in the same rows', async () => {
    const cells = MetricCells.create(2);
    let lost = 0;
    for (let life = 0; life < 2; life++) {
      const thread = startThread({ memory: cells.memory, worker: 1, series: 100, rounds: 10 });
      for await (const [message] of on(thread, 'message')) if (message === 'done') break;
      await thread.terminate();
      assert.deepEqual(read(cells, 'activeRequests'), { 'GET http': [1000] });
      cells.forgetWorker(1);
      assert.deepEqual(read(cells, 'activeRequests'), { 'GET http': [0] });
      lost += 1000;
      assert.equal(cells.requestsLost, lost);
    }
    const sums = Object.values(read(cells, 'requestDuration'));
    assert.equal(sums.length, 100);
    for (const numbers of sums) assert.deepEqual([numbers[6], numbers.at(-1)], [20, 5]);
  });

  it('in the midst of counting leaves numbers that fit together', async () => {
    const cells = MetricCells.create(1);
    const thread = startThread({ memory: cells.memory, worker: 0, series: 500, rounds: 1_000_000 });
    await once(thread, 'message');
    await thread.terminate();
    const before = read(cells, 'requestDuration');
    assert.equal(Object.keys(before).length, 500);
    for (const numbers of Object.values(before)) {
      assert.ok(Math.abs((numbers[6] ?? 0) * 0.25 - (numbers.at(-1) ?? 0)) <= 0.25);
    }
    const successor = MetricCells.attach(cells.memory).ofWorker(0).requestDuration;
    successor.observe(successor.row(['GET', 'route 499', 200, 'http']), 0.25);
    const after = read(cells, 'requestDuration');
    assert.equal(after['GET route 499 200 http']?.[6], (before['GET route 499 200 http']?.[6] ?? 0) + 1);
  });

  it('is read while it counts without a row that is half there', async () => {
    const cells = MetricCells.create(1);
    const series = SERIES_MAX - 1;
    const thread = startThread({ memory: cells.memory, worker: 0, series, rounds: 1 });
    const done = once(thread, 'message');
    let isDone = false;
    void done.then(() => {
      isDone = true;
    });
    while (!isDone) {
      for (const name of Object.keys(read(cells, 'requestDuration'))) {
        assert.match(name, /^GET route \d+ 200 http$/);
      }
      await new Promise(setImmediate);
    }
    assert.equal(Object.keys(read(cells, 'requestDuration')).length, series);
    await thread.terminate();
  });
});

function startThread(workerData: Task): Worker {
  return new Worker(new URL('./metric-cells-thread.ts', import.meta.url), { workerData });
}
