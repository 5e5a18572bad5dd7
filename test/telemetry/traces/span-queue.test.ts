import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { SpanQueue } from '#telemetry/traces/span-queue.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const SETTINGS = {
  url: 'http://user:secret@collector:4318/v1/traces',
  delayMs: 1000,
  queueMax: 8,
  batchMax: 4,
};
const TAKEN = { code: 0 };
const REFUSED = { code: 1, error: new Error('connect ECONNREFUSED') };

/** A collector that answers when the test says so. */
class Collector implements SpanExporter {
  readonly batches: string[][] = [];
  #answer: ((result: typeof TAKEN) => void) | null = null;

  export(spans: ReadableSpan[], answer: (result: typeof TAKEN) => void): void {
    assert.equal(this.#answer, null, 'one batch at a time');
    this.batches.push(spans.map(({ name }) => name));
    this.#answer = answer;
  }

  async answer(result: typeof TAKEN): Promise<void> {
    const answer = this.#answer;
    this.#answer = null;
    answer?.(result);
    await Promise.resolve();
    await Promise.resolve();
  }

  async shutdown(): Promise<void> {}
}

let clock: VirtualClock;
let collector: Collector;
let queue: SpanQueue;
let lines: () => string;

beforeEach(() => {
  clock = new VirtualClock();
  collector = new Collector();
  const kept = keptLog();
  lines = () => JSON.stringify(kept.lines);
  queue = new SpanQueue(collector, SETTINGS, clock, kept.log);
});

function end(...names: string[]): void {
  for (const name of names) queue.onEnd({ name } as ReadableSpan);
}

describe('spans on their way to the collector', () => {
  it('wait for others, but not for long', () => {
    end('a');
    clock.advance(999);
    end('b');
    assert.deepEqual(collector.batches, []);
    clock.advance(1);
    assert.deepEqual(collector.batches, [['a', 'b']]);
  });

  it('go at once when there are enough for a batch', () => {
    end('a', 'b', 'c', 'd', 'e');
    assert.deepEqual(collector.batches, [['a', 'b', 'c', 'd']]);
  });

  it('go one batch at a time', async () => {
    end('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    assert.equal(collector.batches.length, 1);
    await collector.answer(TAKEN);
    assert.deepEqual(collector.batches[1], ['e', 'f', 'g', 'h']);
    await collector.answer(TAKEN);
    assert.equal(collector.batches.length, 2);
    assert.deepEqual(queue.counts, { sent: 8, dropped: 0, failed: 0 });
    assert.equal(clock.timers, 0);
  });

  it('are dropped, and counted, when the collector does not keep up', async () => {
    end('a', 'b', 'c', 'd');
    end('e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm');
    assert.deepEqual(queue.counts, { sent: 0, dropped: 1, failed: 0 });
    assert.equal(queue.reserve(3), false);
    assert.equal(queue.counts.dropped, 4);
    await collector.answer(TAKEN);
    assert.equal(queue.reserve(3), true);
  });

  it('are lost where the collector is gone, which is said once', async () => {
    end('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
    await collector.answer(REFUSED);
    await collector.answer(REFUSED);
    assert.deepEqual(queue.counts, { sent: 0, dropped: 0, failed: 8 });
    assert.equal(lines().split('does not take traces').length - 1, 1);
    assert.match(lines(), /ECONNREFUSED/);
    assert.doesNotMatch(lines(), /secret/);
    end('i', 'j', 'k', 'l');
    await collector.answer(TAKEN);
    assert.match(lines(), /takes traces again/);
  });

  it('are not waited for when the instance stops and the collector is gone', async () => {
    end('a', 'b', 'c', 'd', 'e');
    await collector.answer(REFUSED);
    await queue.forceFlush();
    assert.equal(collector.batches.length, 1);
  });

  it('all go when the instance stops', async () => {
    end('a', 'b', 'c', 'd', 'e', 'f');
    const flushed = queue.forceFlush();
    await collector.answer(TAKEN);
    await collector.answer(TAKEN);
    await flushed;
    assert.deepEqual(collector.batches, [
      ['a', 'b', 'c', 'd'],
      ['e', 'f'],
    ]);
  });
});
