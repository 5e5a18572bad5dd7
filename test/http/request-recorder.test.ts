import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Exchange, RequestHead } from '#actors/request/exchange.ts';
import { REQUEST_STATES, stateNumber } from '#actors/request/states.ts';
import type { RequestEvent } from '#actors/request/steps.ts';
import { Fields } from '#core/fields.ts';
import type { RequestRecord } from '#core/request-record.ts';
import type { TelemetrySettings } from '#core/settings.ts';
import { KEPT_PER_SECOND_MAX, RequestRecorder } from '#http/request-recorder.ts';
import type { RecordReader } from '#shared/records/reader.ts';
import { RequestRecords } from '#shared/records/request-records.ts';
import { authOf } from '#test/support/auth.ts';
import { sampleTelemetry } from '#test/support/sample-settings.ts';
import { sampleRoute, sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';
const TRACEPARENT = `00-${TRACE}-${SPAN}-01`;
const ALL = { ratio: 1, followsParent: true };
const NONE = { ratio: 0, followsParent: true };
const ROUTE = sampleRoute({ auth: authOf(['secret']) });

let clock: VirtualClock;
let reader: RecordReader;

beforeEach(() => {
  clock = new VirtualClock();
});

function recorderWith(changes: Partial<TelemetrySettings> = {}, logsAll = false): RequestRecorder {
  const records = RequestRecords.create({ workers: 1, kept: 64, inFlight: 4 });
  reader = records.readers(REQUEST_STATES)[0] as RecordReader;
  return new RequestRecorder(records.writer(0), sampleTelemetry(changes), logsAll, clock);
}

function head(changes: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    target: '/things',
    path: '/things',
    host: 'example.com',
    headers: Fields.of([
      'traceparent',
      TRACEPARENT,
      'tracestate',
      'a=1',
      'tracestate',
      'b=2',
      'User-Agent',
      'curl/8',
    ]),
    clientAddress: '203.0.113.7',
    peerAddress: '10.0.0.1',
    peerTrusted: false,
    scheme: 'http',
    tls: null,
    protocol: '1.1',
    upgrade: null,
    receivedMs: clock.monotonicMs(),
    ...changes,
  };
}

function begin(recorder: RequestRecorder, request = head()): Exchange {
  return { ...recorder.begin(request, ROUTE, request.receivedMs), route: ROUTE } as Exchange;
}

/** Runs a request to its end, and says what the control plane is told of it. */
function serve(
  recorder: RequestRecorder,
  { status = 200, waitMs = 0, attempts = 1 } = {},
): RequestRecord | null {
  const exchange = begin(recorder);
  for (let nth = 0; nth < attempts; nth++) recorder.attemptBegun(exchange, sampleUpstream());
  clock.advance(waitMs);
  recorder.observe(exchange, stateNumber('responding'), { type: 'attempt.answered', status } as RequestEvent);
  recorder.ended(exchange.record, 'responded', status, 0);
  return reader.next();
}

describe('the trace of a request', () => {
  const traceOf = (changes: Partial<TelemetrySettings>, peerTrusted: boolean) =>
    begin(recorderWith(changes), head({ peerTrusted })).trace.traceId;

  it('is its sender’s, where that is believed', () => {
    assert.equal(traceOf({ trustIncoming: 'always' }, false), TRACE);
    assert.equal(traceOf({ trustIncoming: 'trusted_proxies' }, true), TRACE);
    assert.notEqual(traceOf({ trustIncoming: 'trusted_proxies' }, false), TRACE);
    assert.notEqual(traceOf({ trustIncoming: 'never' }, true), TRACE);
  });

  it('carries what other systems have to say', () => {
    const recorder = recorderWith({ trustIncoming: 'always' });
    assert.equal(begin(recorder).trace.tracestate, 'a=1, b=2');
  });

  it('begins anew when it was sent twice', () => {
    const recorder = recorderWith({ trustIncoming: 'always' });
    const headers = Fields.of(['traceparent', TRACEPARENT, 'Traceparent', TRACEPARENT]);
    assert.notEqual(begin(recorder, head({ headers })).trace.traceId, TRACE);
  });
});

describe('the span that an upstream is told of', () => {
  it('is new for each attempt', () => {
    const recorder = recorderWith({ trustIncoming: 'always', sampler: ALL });
    const exchange = begin(recorder);
    const spans = [1, 2].map(() => recorder.attemptBegun(exchange, sampleUpstream()));
    assert.equal(new Set([...spans, SPAN]).size, 3);
    assert.deepEqual(
      reader.read(exchange.record)?.attempts.map(({ spanId }) => spanId),
      spans,
    );
  });

  it('is its sender’s where no span is made here', () => {
    const recorder = recorderWith({ trustIncoming: 'always', sampler: null });
    assert.equal(recorder.attemptBegun(begin(recorder), sampleUpstream()), SPAN);
  });
});

describe('the recorder', () => {
  it('writes down what the machine does', () => {
    const recorder = recorderWith();
    const exchange = begin(recorder);
    const startMs = clock.monotonicMs();
    const observe = (state: string, event: unknown) => {
      recorder.observe(exchange, stateNumber(state), event as RequestEvent);
      clock.advance(1);
    };
    observe('seeking.authenticating', { type: 'xstate.init' });
    observe('seeking.limiting', { type: 'identity.proven', identity: { key: 'token:1', user: null } });
    recorder.limited(exchange, { allowed: true, remaining: 9, resetMs: 0, retryAfterMs: 0 });
    observe('seeking.selecting', { type: 'limit.passed' });
    observe('seeking.forwarding', { type: 'upstream.selected', upstream: sampleUpstream() });
    recorder.attemptBegun(exchange, sampleUpstream());
    observe('seeking.weighing', { type: 'xstate.after.ATTEMPT.request.seeking.forwarding' });
    observe('seeking.selecting', { type: 'failover.weighed' });
    observe('seeking.forwarding', { type: 'upstream.selected', upstream: sampleUpstream({ name: 'blue' }) });
    recorder.attemptBegun(exchange, sampleUpstream({ name: 'blue' }));
    observe('seeking.weighing', { type: 'attempt.failed', failure: { cause: 'upstream_closed' } });
    observe('refusing', { type: 'failover.weighed' });
    recorder.refused(exchange.record, 'upstream_closed');
    observe('refused', { type: 'response.finished' });
    recorder.ended(exchange.record, 'refused', 502, 7);

    const seen = reader.read(exchange.record);
    assert.deepEqual(
      seen?.states.map(({ path, enteredMs }) => [path, enteredMs - startMs]),
      [
        ['seeking.authenticating', 0],
        ['seeking.limiting', 1],
        ['seeking.selecting', 2],
        ['seeking.forwarding', 3],
        ['seeking.weighing', 4],
        ['seeking.selecting', 5],
        ['seeking.forwarding', 6],
        ['seeking.weighing', 7],
        ['refusing', 8],
        ['refused', 9],
      ],
    );
    assert.deepEqual(
      seen.attempts.map(({ upstream, error }) => [upstream, error]),
      [
        ['red', 'upstream_timeout'],
        ['blue', 'upstream_closed'],
      ],
    );
    assert.deepEqual(
      [seen.auth, seen.identity, seen.limit, seen.limitRemaining],
      ['bearer', 'token:1', 'passed', 9],
    );
    assert.deepEqual(
      [seen.cause, seen.status, seen.outcome, seen.requestBytes],
      ['upstream_closed', 502, 'refused', 7],
    );
    assert.deepEqual([seen.answerMs, seen.endMs], [startMs + 8, startMs + 10]);
    assert.deepEqual([seen.userAgent, seen.route, seen.target], ['curl/8', 'default', '/things']);
  });

  it('knows every state of the machine', () => {
    assert.ok(REQUEST_STATES.includes('seeking.forwarding') && REQUEST_STATES.includes('truncated'));
    assert.ok(REQUEST_STATES.length < 255);
  });

  it('says of a client that left during an attempt that it did', () => {
    const recorder = recorderWith();
    const exchange = begin(recorder);
    recorder.attemptBegun(exchange, sampleUpstream());
    recorder.observe(exchange, stateNumber('abandoned'), { type: 'client.left' });
    assert.equal(reader.read(exchange.record)?.attempts[0]?.error, 'client_left');
  });

  it('has a record of what makes no sense, too', () => {
    const recorder = recorderWith();
    const { record } = recorder.begin(null, { name: '' }, clock.monotonicMs());
    recorder.refused(record, 'malformed_request');
    recorder.ended(record, 'refused', 400, 0);
    assert.deepEqual([reader.read(record)?.method, reader.read(record)?.cause], ['', 'malformed_request']);
  });
});

describe('traced', () => {
  it('is what the sampler chose', () => {
    assert.equal(serve(recorderWith({ sampler: ALL }))?.isTraced, true);
    assert.equal(serve(recorderWith({ sampler: NONE })), null);
  });

  it('is what failed, was slow, or needed another attempt, as well', () => {
    const recorder = recorderWith({ sampler: NONE, slowMs: 500 });
    assert.equal(serve(recorder, { status: 502 })?.isTraced, true);
    assert.equal(serve(recorder, { waitMs: 500 })?.isTraced, true);
    assert.equal(serve(recorder, { attempts: 2 })?.isTraced, true);
    assert.equal(serve(recorder, { status: 404, waitMs: 499 }), null);
  });

  it('is only a part of that in an outage', () => {
    const recorder = recorderWith({ sampler: NONE });
    const outage = () =>
      Array.from({ length: 3 * KEPT_PER_SECOND_MAX }, () => serve(recorder, { status: 502 }));
    assert.equal(outage().filter((record) => record !== null).length, KEPT_PER_SECOND_MAX);
    clock.advance(1000);
    assert.equal(outage().filter((record) => record !== null).length, KEPT_PER_SECOND_MAX);
  });

  it('is nothing where traces are sent nowhere', () => {
    assert.equal(serve(recorderWith({ sampler: null }), { status: 502 }), null);
  });

  it('is not all that is fetched where every request is logged', () => {
    assert.equal(serve(recorderWith({ sampler: null }, true))?.isTraced, false);
  });
});
