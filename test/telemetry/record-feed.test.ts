import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RequestRecords } from '#shared/records/request-records.ts';
import { FEED_MS, RECORDS_AT_ONCE_MAX, RecordFeed } from '#telemetry/record-feed.ts';
import { beginSample } from '#test/support/sample-record.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

/** Two workers whose requests are written by `request`, and what the feed hands out of them. */
function scene() {
  const clock = new VirtualClock();
  const records = RequestRecords.create({ workers: 2, kept: 4, inFlight: 4 });
  const writers = [records.writer(0), records.writer(1)];
  const fetched: string[] = [];
  const feed = new RecordFeed(
    records.readers([]),
    [({ worker, startMs }) => fetched.push(`${worker}:${startMs}`)],
    clock,
  );
  const request = (worker: 0 | 1, startMs: number) => {
    const writer = writers[worker];
    assert.ok(writer);
    const record = beginSample(writer, startMs);
    writer.end(record, 'responded', 200, startMs);
    writer.queue(record, true);
  };
  return { clock, feed, fetched, request };
}

describe('the feed of finished requests', () => {
  it('hands out what each worker has queued, soon', () => {
    const { clock, fetched, request } = scene();
    request(0, 1);
    request(1, 2);
    request(0, 3);
    assert.deepEqual(fetched, []);
    clock.advance(FEED_MS);
    assert.deepEqual(fetched, ['0:1', '1:2', '0:3']);
    request(1, 4);
    clock.advance(FEED_MS);
    assert.equal(fetched.length, 4);
  });

  it('leaves time for other things, and goes on at once', () => {
    const { clock, fetched, request } = scene();
    for (let nth = 0; nth < RECORDS_AT_ONCE_MAX; nth++) request(0, nth);
    for (let nth = 0; nth < RECORDS_AT_ONCE_MAX; nth++) request(1, nth);
    let between = -1;
    clock.after(FEED_MS, () => {
      between = fetched.length;
    });
    clock.advance(FEED_MS);
    assert.equal(between, RECORDS_AT_ONCE_MAX);
    assert.equal(fetched.length, 2 * RECORDS_AT_ONCE_MAX);
    assert.equal(fetched[1], '1:0', 'no worker waits for the other');
  });

  it('hands out the last ones when it ends', () => {
    const { clock, feed, fetched, request } = scene();
    for (let nth = 0; nth < 2 * RECORDS_AT_ONCE_MAX + 1; nth++) request(0, nth);
    feed[Symbol.dispose]();
    assert.equal(fetched.length, 2 * RECORDS_AT_ONCE_MAX + 1);
    assert.equal(clock.timers, 0);
  });
});
