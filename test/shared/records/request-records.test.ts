import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { RequestRecord } from '#core/request-record.ts';
import { ATTEMPTS_MAX, QUEUE_RECORDS, STATES_MAX, TEXTS } from '#shared/records/layout.ts';
import type { RecordReader } from '#shared/records/reader.ts';
import { Region } from '#shared/records/region.ts';
import { RequestRecords } from '#shared/records/request-records.ts';
import { NO_RECORD, type RecordWriter } from '#shared/records/writer.ts';
import { beginSample, sampleRecord, spanIdWords } from '#test/support/sample-record.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

const STATES = [
  'seeking.authenticating',
  'seeking.limiting',
  'seeking.selecting',
  'seeking.forwarding',
  'responding',
  'responded',
];

const LATIN1 = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));

function open(
  kept = 4,
  inFlight = 4,
): { records: RequestRecords; writer: RecordWriter; reader: RecordReader } {
  const records = RequestRecords.create({ workers: 2, kept, inFlight });
  const [, reader] = RequestRecords.attach(records.shared).readers(STATES);
  assert.ok(reader);
  return { records, writer: records.writer(1), reader };
}

/** Writes what a sample says, and returns its number. */
function write(writer: RecordWriter, sample: RequestRecord): number {
  const record = beginSample(writer, sample.startMs, sample);
  const tls = sample.tlsVersion === null ? null : { version: sample.tlsVersion, certificate: null };
  writer.head(record, { ...sample, tls }, sample.userAgent, sample.route);
  for (const { path, enteredMs } of sample.states) writer.entered(record, STATES.indexOf(path), enteredMs);
  if (sample.auth !== null) writer.identified(record, sample.auth, sample.identity ?? '');
  if (sample.limit !== 'none') writer.limited(record, sample.limit, sample.limitRemaining ?? 0);
  for (const {
    pool,
    upstream,
    scheme,
    address,
    port,
    spanId,
    startMs,
    endMs,
    status,
    error,
  } of sample.attempts) {
    const tls = scheme === 'https' ? { serverName: '', ca: null, verify: true } : null;
    writer.attemptBegun(
      record,
      sampleUpstream({ pool, name: upstream, tls, address, port }),
      spanIdWords(spanId),
      startMs,
    );
    if (error !== null) writer.attemptFailed(record, error, endMs ?? 0);
    else if (endMs !== null) writer.attemptAnswered(record, status, endMs);
  }
  if (sample.answerMs !== null) writer.answering(record, sample.answerMs);
  if (sample.cause !== null) writer.refused(record, sample.cause);
  writer.received(record, sample.requestBytes);
  writer.sent(record, sample.responseBytes);
  if (sample.outcome !== null) writer.end(record, sample.outcome, sample.status, sample.endMs ?? 0);
  return record;
}

function idOf(number: number): string {
  return number.toString(16).padStart(32, '0');
}

function startsOf(reader: RecordReader): number[] {
  return Array.from(reader.glances(), ({ startMs }) => startMs).sort((a, b) => a - b);
}

describe('the record of a request', () => {
  it('says what was written', () => {
    const { writer, reader } = open();
    const sample = sampleRecord({ worker: 1, isTraced: false });
    assert.deepEqual(reader.read(write(writer, sample)), sample);
  });

  it('says of a failover what became of each attempt', () => {
    const { writer, reader } = open();
    const [attempt] = sampleRecord().attempts;
    assert.ok(attempt);
    const sample = sampleRecord({
      worker: 1,
      isTraced: false,
      isSampled: false,
      parentSpanId: '00f067aa0ba902b7',
      attempts: [
        { ...attempt, endMs: 1004, status: 0, error: 'upstream_unreachable' },
        { ...attempt, upstream: 'blue', scheme: 'https', address: '::1', startMs: 1005, status: 503 },
      ],
      scheme: 'https',
      protocol: '2',
      tlsVersion: 'TLSv1.3',
      auth: null,
      identity: null,
      outcome: 'refused',
      cause: 'upstream_closed',
      status: 502,
    });
    assert.deepEqual(reader.read(write(writer, sample)), sample);
  });

  it('can be read while the request is under way', () => {
    const { writer, reader } = open();
    const record = beginSample(writer, 1000);
    assert.equal(reader.read(record)?.outcome, null);
    writer.entered(record, 3, 1003);
    writer.attemptBegun(record, sampleUpstream(), spanIdWords(), 1003);
    const seen = reader.read(record);
    assert.deepEqual([seen?.endMs, seen?.method, seen?.states.length], [null, '', 1]);
    assert.deepEqual([seen?.attempts[0]?.upstream, seen?.attempts[0]?.endMs], ['red', null]);
    const counts: number[] = [];
    reader.countStates(counts);
    assert.equal(counts[3], 1);
  });

  it('keeps as much as there is room for', () => {
    const { writer, reader } = open();
    const record = beginSample(writer, 1000);
    writer.head(
      record,
      { ...sampleRecord(), target: `/${'x'.repeat(10_000)}`, tls: null },
      'y'.repeat(10_000),
      'default',
    );
    for (let nth = 0; nth < 2 * STATES_MAX; nth++) writer.entered(record, nth % STATES.length, 1000 + nth);
    const upstream = sampleUpstream({ name: 'u'.repeat(250), address: 'a'.repeat(250) });
    for (let nth = 0; nth < 2 * ATTEMPTS_MAX; nth++) {
      writer.attemptBegun(record, upstream, spanIdWords(), 1000 + nth);
      writer.attemptFailed(record, 'upstream_closed', 1001 + nth);
    }
    writer.end(record, 'refused', 502, 2000);
    const { target, userAgent, states, attempts, status } = reader.read(record) ?? sampleRecord();
    assert.deepEqual([target.length, userAgent.length, states.length], [512, 160, STATES_MAX]);
    assert.equal(status, 502);
    assert.equal(attempts.length, ATTEMPTS_MAX);
    assert.equal(attempts[0]?.upstream, upstream.name);
    assert.deepEqual([attempts.at(-1)?.upstream, attempts.at(-1)?.error], ['', 'upstream_closed']);
  });

  it('says the same whether its texts are known or not, and however long they are', () => {
    const text = (bytesMax: number) =>
      fc.oneof(
        fc.constantFrom('a', 'abcd', 'x'.repeat(bytesMax)),
        fc.string({ unit: LATIN1, maxLength: bytesMax }),
      );
    const texts = fc.record({
      target: text(TEXTS.target.bytesMax).map((path) =>
        `/${path.replaceAll('?', '')}`.slice(0, TEXTS.target.bytesMax),
      ),
      host: text(TEXTS.host.bytesMax),
      clientAddress: fc.constantFrom('203.0.113.7', '::1'),
      userAgent: text(TEXTS.userAgent.bytesMax),
      route: text(TEXTS.route.bytesMax),
      identity: text(TEXTS.identity.bytesMax).map((identity) => identity || 'nobody'),
    });
    const { writer, reader } = open();
    fc.assert(
      fc.property(fc.array(texts, { minLength: 1, maxLength: 8 }), (requests) => {
        for (const request of [...requests, ...requests]) {
          const sample = sampleRecord({ ...request, worker: 1, isTraced: false });
          assert.deepEqual(reader.read(write(writer, sample)), sample);
        }
      }),
    );
  });

  it('shows no secrets of the query', () => {
    const { writer, reader } = open();
    const record = beginSample(writer, 1000);
    writer.head(record, { ...sampleRecord(), target: '/file?sig=c2VjcmV0&page=2', tls: null }, '', '');
    assert.equal(reader.read(record)?.target, '/file?sig=REDACTED&page=2');
  });
});

describe('the records of a worker', () => {
  it('are those of the latest requests', () => {
    const { writer, reader } = open(4);
    for (let nth = 1; nth <= 20; nth++) write(writer, sampleRecord({ startMs: nth, traceId: idOf(nth) }));
    assert.deepEqual(startsOf(reader), [17, 18, 19, 20]);
    const [found] = reader.find(idOf(18));
    assert.equal(found === undefined ? null : reader.read(found)?.startMs, 18);
    assert.deepEqual(reader.find(idOf(3)), []);
    assert.deepEqual(reader.find('nonsense'), []);
  });

  it('have one of each request under way, however long it takes', () => {
    const { writer, reader } = open(4, 2);
    const long = beginSample(writer, 1, { traceId: idOf(1) });
    for (let nth = 2; nth <= 20; nth++) write(writer, sampleRecord({ startMs: nth, traceId: idOf(nth) }));
    assert.deepEqual(startsOf(reader), [1, 17, 18, 19, 20]);
    writer.end(long, 'responded', 200, 21);
  });

  it('are not there for more at once than there is room for, which is counted', () => {
    const { writer, reader } = open(1, 2);
    const begun = Array.from({ length: 5 }, () => beginSample(writer, 1));
    assert.deepEqual(begun, [0, 1, 2, NO_RECORD, NO_RECORD]);
    assert.equal(reader.unrecorded, 2);
    writer.head(NO_RECORD, { ...sampleRecord(), tls: null }, '', '');
    writer.entered(NO_RECORD, 1, 1);
    writer.attemptBegun(NO_RECORD, sampleUpstream(), spanIdWords(), 1);
    writer.attemptFailed(NO_RECORD, 'client_left', 1);
    writer.end(NO_RECORD, 'responded', 200, 1);
    writer.queue(NO_RECORD, true);
    assert.equal(reader.next(), null);
  });

  it('are none where none are wanted', () => {
    const { writer, reader } = open(0, 0);
    assert.equal(beginSample(writer, 1), NO_RECORD);
    assert.equal(reader.unrecorded, 0);
  });

  it('outlive the worker, and its successor goes on with them', () => {
    const { records, writer, reader } = open(3, 2);
    const first = write(writer, sampleRecord({ startMs: 1, endMs: 1 }));
    write(writer, sampleRecord({ startMs: 2, endMs: 2 }));
    const under = beginSample(writer, 3);
    records.forgetWorker(1, 5);
    assert.deepEqual([reader.read(under)?.outcome, reader.read(under)?.endMs], ['lost', 5]);
    const successor = records.writer(1);
    assert.equal(beginSample(successor, 6), first);
    assert.deepEqual(startsOf(reader), [2, 3, 6]);
  });
});

describe('the queue of finished records', () => {
  it('brings each once, in order, with what it is for', () => {
    const { writer, reader } = open();
    for (let nth = 1; nth <= 3; nth++) writer.queue(write(writer, sampleRecord({ startMs: nth })), nth === 2);
    const fetched = Array.from({ length: 4 }, () => reader.next());
    assert.deepEqual(
      fetched.map((record) => record?.startMs),
      [1, 2, 3, undefined],
    );
    assert.deepEqual(
      fetched.map((record) => record?.isTraced),
      [false, true, false, undefined],
    );
  });

  it('holds a copy: the record itself may be used again', () => {
    const { writer, reader } = open(1, 1);
    writer.queue(write(writer, sampleRecord({ startMs: 1 })), true);
    for (let nth = 2; nth < 6; nth++) write(writer, sampleRecord({ startMs: nth }));
    assert.equal(reader.next()?.startMs, 1);
  });

  it('is bounded: what nobody fetches is lost, and counted', () => {
    const { writer, reader } = open();
    const record = write(writer, sampleRecord());
    for (let nth = 0; nth < QUEUE_RECORDS + 3; nth++) writer.queue(record, true);
    assert.equal(reader.lost, 3);
    let fetched = 0;
    while (reader.next() !== null) fetched++;
    assert.equal(fetched, QUEUE_RECORDS);
  });

  it('begins anew when it was emptied, and touches no more memory than it needs', () => {
    const { records, writer, reader } = open();
    const record = write(writer, sampleRecord());
    const { memory, slots } = records.shared;
    for (let nth = 0; nth < QUEUE_RECORDS; nth++) {
      writer.queue(record, true);
      writer.queue(record, true);
      assert.deepEqual([reader.next(), reader.next(), reader.next()].map(Boolean), [true, true, false]);
    }
    const region = new Region(memory, 1, slots);
    assert.ok(region.bytes[region.offsetOf(slots + 1)]);
    assert.ok(region.bytes.subarray(region.offsetOf(slots + 2)).every((byte) => byte === 0));
  });
});
