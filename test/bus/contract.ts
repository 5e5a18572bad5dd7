/** What every bus must do, whatever it is made of; each implementation's test file runs all of it. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import {
  type Bucket,
  type Bus,
  MESSAGE_BYTES_MAX,
  OPERATIONS_MAX,
  PENDING_BYTES_MAX,
  SUBSCRIPTIONS_MAX,
  WATCHES_MAX,
  type WatchEvent,
} from '#bus/contract.ts';
import { isConflict } from '#bus/errors.ts';
import { until } from '#test/support/process.ts';

export type TestCluster = {
  /** Two instances of a cluster; the same bus twice where there can be only one. */
  readonly first: Bus;
  readonly second: Bus;
  /** Moves a virtual clock; where time is real, it passes by itself. */
  readonly pass: (ms: number) => void;
};

const LASTING = { entryMsMax: null, bytesMax: 4 * 1024 * 1024 };
/** No test waits that long for an answer. */
const LONG_MS = 5_000;

const bytes = (text: string) => new TextEncoder().encode(text);
const textOf = (data: Uint8Array) => new TextDecoder().decode(data);

/** When this has answered, the bus has taken note of everything that was done before. */
export async function settle(bus: Bus): Promise<void> {
  await bus.bucket('settled', LASTING).get('nothing', AbortSignal.timeout(LONG_MS));
}

/** A watch's view of a bucket, and what it told, in words. */
export function view(bucket: Bucket) {
  const content = new Map<string, string>();
  const told: string[] = [];
  const watch = bucket.watch((event: WatchEvent) => {
    switch (event.type) {
      case 'content':
        content.clear();
        for (const { key, value } of event.entries) content.set(key, textOf(value));
        told.push(`content ${[...content].map(([key, value]) => `${key}=${value}`).join(' ')}`.trim());
        return;
      case 'put':
        content.set(event.entry.key, textOf(event.entry.value));
        told.push(`${event.entry.key}=${textOf(event.entry.value)}`);
        return;
      case 'deleted':
        content.delete(event.key);
        told.push(`${event.key} deleted`);
    }
  });
  return { watch, content, told };
}

export function testBusContract(name: string, form: (t: TestContext) => Promise<TestCluster>): void {
  describe(`${name}: messages`, () => testMessages(form));
  describe(`${name}: requests`, () => testRequests(form));
  describe(`${name}: buckets`, () => testBuckets(form));
  describe(`${name}: watches`, () => testWatches(form));
}

function testMessages(form: (t: TestContext) => Promise<TestCluster>): void {
  it('reach whoever listens to their subject, in order', async (t) => {
    const { first, second } = await form(t);
    const heard: Record<string, string[]> = { 'health.*': [], 'health.>': [], limits: [] };
    for (const [pattern, texts] of Object.entries(heard)) {
      second.subscribe(pattern, ({ subject, data }) => texts.push(`${subject} ${textOf(data)}`));
    }
    await settle(second);
    for (const text of ['up', 'down', 'up']) assert.equal(first.publish('health.red', bytes(text)), 'sent');
    first.publish('health.blue.green', bytes('deep'));
    await until('all is heard', () => heard['health.>']?.length === 4);
    const shallow = ['health.red up', 'health.red down', 'health.red up'];
    assert.deepEqual(heard, {
      'health.*': shallow,
      'health.>': [...shallow, 'health.blue.green deep'],
      limits: [],
    });
  });

  it('carry the trace that they belong to', async (t) => {
    const { first, second } = await form(t);
    const received: (string | null)[] = [];
    second.subscribe('news', (message) => received.push(message.traceparent));
    await settle(second);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    first.publish('news', bytes('traced'), traceparent);
    first.publish('news', bytes('not traced'));
    await until('both have come', () => received.length === 2);
    assert.deepEqual(received, [traceparent, null]);
  });

  it('reach the publisher too, but not before it has gone on', async (t) => {
    const { first } = await form(t);
    const heard: string[] = [];
    first.subscribe('news', ({ data }) => heard.push(textOf(data)));
    await settle(first);
    first.publish('news', bytes('hello'));
    assert.deepEqual(heard, []);
    await until('it is heard', () => heard.length === 1);
    assert.deepEqual(heard, ['hello']);
  });

  it('reach nobody who has stopped listening', async (t) => {
    const { first, second } = await form(t);
    const heard: string[] = [];
    const gone = second.subscribe('news', () => heard.push('gone'));
    second.subscribe('news', () => heard.push('there'));
    gone[Symbol.dispose]();
    gone[Symbol.dispose]();
    await settle(second);
    first.publish('news', bytes('hello'));
    await until('it is heard', () => heard.length > 0);
    assert.deepEqual(heard, ['there']);
  });

  it('go on after a listener threw, or rejected', async (t) => {
    const { first, second } = await form(t);
    let heard = 0;
    second.subscribe('news', () => {
      throw new Error('a bug');
    });
    second.subscribe('news', async () => {
      throw new Error('a bug that takes its time');
    });
    second.subscribe('news', () => heard++);
    await settle(second);
    first.publish('news', bytes('one'));
    first.publish('news', bytes('two'));
    await until('both are heard', () => heard === 2);
    assert.equal(second.counts.failures, 4);
  });

  it('are dropped and counted when they are too large, and when too much is pending', async (t) => {
    const { first } = await form(t);
    assert.equal(first.publish('news', new Uint8Array(MESSAGE_BYTES_MAX)), 'sent');
    assert.equal(first.publish('news', new Uint8Array(MESSAGE_BYTES_MAX + 1)), 'too_large');
    const large = new Uint8Array(MESSAGE_BYTES_MAX);
    const fit = Math.ceil(PENDING_BYTES_MAX / MESSAGE_BYTES_MAX);
    const outcomes = Array.from({ length: fit + 3 }, () => first.publish('news', large));
    assert.equal(outcomes.at(-1), 'backlog');
    await until('there is room again', () => first.publish('news', bytes('small')) === 'sent');
    assert.equal(first.counts.dropped.too_large, 1);
    assert.ok(first.counts.dropped.backlog >= 3);
  });

  it('have subjects of a fixed form', async (t) => {
    const { first } = await form(t);
    for (const subject of ['', 'a b', 'a..b', '.a', 'a.', 'a.*', '>', 'a\r\nPUB x 0', 'x'.repeat(300)]) {
      assert.throws(() => first.publish(subject, bytes('')), { code: 'bus_bad_name' }, subject);
    }
    for (const pattern of ['', '>.a', 'a.>.b', 'a*', 'a.b>']) {
      assert.throws(() => first.subscribe(pattern, () => {}), { code: 'bus_bad_name' }, pattern);
    }
  });

  it('have so many listeners and no more', async (t) => {
    const { first } = await form(t);
    const listen = () => first.subscribe('news', () => {});
    const listeners = Array.from({ length: SUBSCRIPTIONS_MAX }, listen);
    assert.throws(listen, { code: 'bus_busy' });
    listeners[0]?.[Symbol.dispose]();
    listen();
  });
}

function testRequests(form: (t: TestContext) => Promise<TestCluster>): void {
  const signal = new AbortController().signal;

  it('are answered, at once or later', async (t) => {
    const { first, second } = await form(t);
    second.respond('greet.*', ({ subject, data }) => bytes(`${subject}: hello ${textOf(data)}`));
    second.respond('later', async () => bytes('here it is'));
    await settle(second);
    assert.equal(
      textOf(await first.request('greet.red', bytes('Ann'), LONG_MS, signal)),
      'greet.red: hello Ann',
    );
    assert.equal(textOf(await first.request('later', bytes(''), LONG_MS, signal)), 'here it is');
  });

  it('are heard by those who only listen; what is no request is not answered', async (t) => {
    const { first, second } = await form(t);
    const heard: string[] = [];
    const asked: string[] = [];
    second.subscribe('greet', ({ data }) => heard.push(textOf(data)));
    second.respond('greet', ({ data }) => {
      asked.push(textOf(data));
      return data;
    });
    await settle(second);
    first.publish('greet', bytes('to all'));
    await first.request('greet', bytes('to one'), LONG_MS, signal);
    await until('both are heard', () => heard.length === 2);
    assert.deepEqual([heard, asked], [['to all', 'to one'], ['to one']]);
  });

  it('fail at once when nobody listens', async (t) => {
    const { first } = await form(t);
    await settle(first);
    await assert.rejects(first.request('nobody', bytes(''), LONG_MS, signal), { code: 'bus_no_responder' });
  });

  it('fail at their deadline when the answer failed or does not come', async (t) => {
    const { first, second, pass } = await form(t);
    second.respond('broken', () => {
      throw new Error('a bug');
    });
    second.respond('silent', () => new Promise(() => {}));
    second.respond('long', () => new Uint8Array(MESSAGE_BYTES_MAX + 1));
    await settle(second);
    const asked = ['broken', 'silent', 'long'].map((subject) =>
      assert.rejects(first.request(subject, bytes(''), 200, signal), { code: 'bus_timeout' }, subject),
    );
    pass(200);
    await Promise.all(asked);
    assert.equal(second.counts.failures, 1);
    assert.equal(second.counts.dropped.too_large, 1);
  });

  it('end with the signal of whoever asked', async (t) => {
    const { first, second } = await form(t);
    second.respond('silent', () => new Promise(() => {}));
    await settle(second);
    const life = new AbortController();
    const asked = first.request('silent', bytes(''), LONG_MS, life.signal);
    const reason = new Error('enough');
    life.abort(reason);
    await assert.rejects(asked, reason);
    await assert.rejects(first.request('silent', bytes(''), LONG_MS, life.signal), reason);
  });

  it('are so many at once and no more', async (t) => {
    const { first, second } = await form(t);
    second.respond('silent', () => new Promise(() => {}));
    await settle(second);
    const life = new AbortController();
    const ask = () => first.request('silent', bytes(''), LONG_MS, life.signal);
    const asked = Array.from({ length: OPERATIONS_MAX }, ask);
    await assert.rejects(ask(), { code: 'bus_busy' });
    life.abort();
    assert.ok((await Promise.allSettled(asked)).every(({ status }) => status === 'rejected'));
  });
}

function testBuckets(form: (t: TestContext) => Promise<TestCluster>): void {
  const signal = new AbortController().signal;

  it('give back what was put, to every instance', async (t) => {
    const { first, second } = await form(t);
    const bucket = first.bucket('things', LASTING);
    assert.equal(bucket, first.bucket('things', LASTING));
    assert.equal(await bucket.get('red', signal), null);
    const revision = await bucket.put('red', bytes('1'), signal);
    const entry = await second.bucket('things', LASTING).get('red', signal);
    assert.deepEqual(entry, { key: 'red', value: bytes('1'), revision });
    assert.ok((await bucket.put('red', bytes('2'), signal)) > revision);
  });

  it('list their content in order of revision', async (t) => {
    const { first, second } = await form(t);
    const bucket = first.bucket('things', LASTING);
    assert.deepEqual(await bucket.entries(signal), []);
    for (const key of ['a.1', 'b', 'c', 'a.1']) await bucket.put(key, bytes(`of ${key}`), signal);
    await bucket.delete('b', null, signal);
    const entries = await second.bucket('things', LASTING).entries(signal);
    assert.deepEqual(
      entries.map(({ key, value }) => `${key} ${textOf(value)}`),
      ['c of c', 'a.1 of a.1'],
    );
    assert.ok((entries[0]?.revision ?? 0) < (entries[1]?.revision ?? 0));
  });

  it('create only what is not there', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    await bucket.create('red', bytes('1'), signal);
    await assert.rejects(bucket.create('red', bytes('2'), signal), { code: 'bus_conflict' });
    await bucket.delete('red', null, signal);
    await bucket.create('red', bytes('3'), signal);
    assert.equal(textOf((await bucket.get('red', signal))?.value ?? bytes('')), '3');
  });

  it('update and delete only the revision that was meant', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    const one = await bucket.create('red', bytes('1'), signal);
    const two = await bucket.update('red', bytes('2'), one, signal);
    for (const stale of [one, two + 1, 0, -1]) {
      await assert.rejects(bucket.update('red', bytes('3'), stale, signal), { code: 'bus_conflict' });
      await assert.rejects(bucket.delete('red', stale, signal), { code: 'bus_conflict' });
    }
    await bucket.delete('red', two, signal);
    assert.equal(await bucket.get('red', signal), null);
    await assert.rejects(bucket.update('red', bytes('3'), two, signal), { code: 'bus_conflict' });
    await assert.rejects(bucket.update('blue', bytes('3'), 1, signal), { code: 'bus_conflict' });
    await bucket.delete('red', null, signal);
  });

  it('lose no increment, however many write at once', async (t) => {
    const { first, second } = await form(t);
    let round = 0;
    const writers = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(writers, async (increments) => {
        const key = `counter-${round++}`;
        await Promise.all(
          increments.map(async (times, index) => {
            const bucket = (index % 2 === 0 ? first : second).bucket('things', LASTING);
            for (let time = 0; time < times; time++) await increment(bucket, key);
          }),
        );
        const total = await first.bucket('things', LASTING).get(key, signal);
        assert.equal(
          textOf(total?.value ?? bytes('')),
          String(increments.reduce((sum, times) => sum + times)),
        );
      }),
      { numRuns: 10 },
    );
  });

  it('forget what is older than they keep', async (t) => {
    const { first, pass } = await form(t);
    const bucket = first.bucket('short', { entryMsMax: 500, bytesMax: 1024 * 1024 });
    await bucket.create('red', bytes('1'), signal);
    assert.notEqual(await bucket.get('red', signal), null);
    await until('it is forgotten', async () => {
      pass(100);
      return (await bucket.get('red', signal)) === null;
    });
    assert.deepEqual(await bucket.entries(signal), []);
    await bucket.create('red', bytes('2'), signal);
  });

  it('refuse what they have no room for, and take it when there is room', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('small', { entryMsMax: null, bytesMax: 10_000 });
    await bucket.put('a', new Uint8Array(4_000), signal);
    await bucket.put('b', new Uint8Array(4_000), signal);
    await assert.rejects(bucket.put('c', new Uint8Array(4_000), signal), { code: 'bus_full' });
    await bucket.delete('a', null, signal);
    await bucket.put('c', new Uint8Array(4_000), signal);
  });

  it('refuse values that are too large and keys of another form', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    const large = new Uint8Array(MESSAGE_BYTES_MAX + 1);
    await assert.rejects(bucket.put('red', large, signal), { code: 'bus_too_large' });
    await assert.rejects(bucket.create('red', large, signal), { code: 'bus_too_large' });
    const revision = await bucket.put('red', large.subarray(1), signal);
    await bucket.update('red', large.subarray(1), revision, signal);
    for (const key of ['', 'a b', '.', 'a.', '*', '>', 'é', 'x'.repeat(300)]) {
      await assert.rejects(bucket.get(key, signal), { code: 'bus_bad_name' }, key);
    }
    assert.throws(() => first.bucket('a.b', LASTING), { code: 'bus_bad_name' });
  });

  it('end what waits with the signal of whoever waits', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    const reason = new Error('enough');
    await assert.rejects(bucket.get('red', AbortSignal.abort(reason)), reason);
    await assert.rejects(bucket.entries(AbortSignal.abort(reason)), reason);
    await assert.rejects(bucket.put('red', bytes(''), AbortSignal.abort(reason)), reason);
  });

  it('refuse everything after the end, which may come twice', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    await bucket.put('red', bytes('1'), signal);
    await first[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
    await assert.rejects(bucket.get('red', signal), { code: 'bus_closed' });
    await assert.rejects(first.request('news', bytes(''), LONG_MS, signal), { code: 'bus_closed' });
    assert.equal(first.publish('news', bytes('')), 'isolated');
    assert.throws(() => bucket.watch(() => {}), { code: 'bus_closed' });
  });
}

async function increment(bucket: Bucket, key: string): Promise<void> {
  const signal = AbortSignal.timeout(LONG_MS);
  for (;;) {
    const entry = await bucket.get(key, signal);
    try {
      if (entry === null) await bucket.create(key, bytes('1'), signal);
      else await bucket.update(key, bytes(String(Number(textOf(entry.value)) + 1)), entry.revision, signal);
      return;
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
  }
}

function testWatches(form: (t: TestContext) => Promise<TestCluster>): void {
  const signal = new AbortController().signal;

  it('tell the content, and then every change in order', async (t) => {
    const { first, second } = await form(t);
    const bucket = first.bucket('things', LASTING);
    await bucket.put('red', bytes('1'), signal);
    await bucket.put('blue', bytes('1'), signal);
    await bucket.delete('blue', null, signal);
    const { watch, told } = view(second.bucket('things', LASTING));
    assert.deepEqual([told.length, watch.revision, watch.ageMs], [0, 0, Infinity]);
    await until('the content is told', () => told.length === 1);
    await bucket.put('green', bytes('1'), signal);
    await bucket.delete('red', null, signal);
    const last = await bucket.create('blue', bytes('2'), signal);
    await until('the last change is told', () => watch.revision === last);
    assert.deepEqual(told, ['content red=1', 'green=1', 'red deleted', 'blue=2']);
    assert.ok(watch.ageMs < 1_000);
  });

  it('tell that there is nothing', async (t) => {
    const { first } = await form(t);
    const { told, watch } = view(first.bucket('things', LASTING));
    await until('the content is told', () => told.length === 1);
    assert.deepEqual([told, watch.revision], [['content'], 0]);
  });

  it('tell nothing once they are disposed of', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    const [gone, early, other] = [view(bucket), view(bucket), view(bucket)];
    early.watch[Symbol.dispose]();
    await until('the contents are told', () => gone.told.length === 1 && other.told.length === 1);
    gone.watch[Symbol.dispose]();
    gone.watch[Symbol.dispose]();
    await bucket.put('red', bytes('1'), signal);
    await until('the change is told', () => other.told.length === 2);
    assert.deepEqual([early.told, gone.told], [[], ['content']]);
  });

  it('go on after their listener threw', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    let events = 0;
    bucket.watch(() => {
      events++;
      throw new Error('a bug');
    });
    await until('the content is told', () => events === 1);
    await bucket.put('red', bytes('1'), signal);
    await until('the change is told', () => events === 2);
    assert.equal(first.counts.failures, 2);
  });

  it('may be begun from within a listener, and write from there', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    const views: ReturnType<typeof view>[] = [];
    bucket.watch((event) => {
      if (event.type !== 'content') return;
      void bucket.put('from', bytes('within'), signal);
      views.push(view(bucket));
    });
    await until('the inner one is told', () => views[0]?.content.get('from') === 'within');
  });

  it('are so many at once and no more', async (t) => {
    const { first } = await form(t);
    const bucket = first.bucket('things', LASTING);
    const watches = Array.from({ length: WATCHES_MAX }, () => bucket.watch(() => {}));
    assert.throws(() => bucket.watch(() => {}), { code: 'bus_busy' });
    watches[0]?.[Symbol.dispose]();
    bucket.watch(() => {});
  });

  it('end up with what the bucket holds, whatever is written while they begin', async (t) => {
    const { first, second } = await form(t);
    const bucket = first.bucket('things', LASTING);
    const write = fc.record({ key: fc.constantFrom('a', 'b', 'c', 'd'), value: fc.option(fc.nat(9)) });
    await fc.assert(
      fc.asyncProperty(
        fc.array(write, { minLength: 1, maxLength: 20 }),
        fc.nat(19),
        async (writes, begin) => {
          const views: ReturnType<typeof view>[] = [];
          const done = writes.map(({ key, value }, index) => {
            if (index === begin % writes.length) views.push(view(second.bucket('things', LASTING)));
            return value === null
              ? bucket.delete(key, null, signal)
              : bucket.put(key, bytes(String(value)), signal);
          });
          await Promise.all(done);
          const entries = await bucket.entries(signal);
          const held = entries.map(({ key, value }) => `${key}=${textOf(value)}`).toSorted();
          const { content, watch } = views[0] ?? assert.fail('no watch was begun');
          await until('the watch has it all', () => {
            const known = [...content].map(([key, value]) => `${key}=${value}`).toSorted();
            return known.join() === held.join();
          });
          watch[Symbol.dispose]();
        },
      ),
      { numRuns: 8 },
    );
  });
}
