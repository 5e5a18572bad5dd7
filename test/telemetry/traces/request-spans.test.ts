import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { emptyResource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { RecordedAttempt, RequestRecord } from '#core/request-record.ts';
import { requestSpans } from '#telemetry/traces/request-spans.ts';
import { sampleRecord } from '#test/support/sample-record.ts';

/** What the monotonic clock's 0 is here. */
const EPOCH_MS = 1_700_000_000_000;

/** Required, or conditionally required with their condition met, in HTTP semantic conventions 1.x, stable. */
const SERVER_REQUIRED = ['http.request.method', 'url.path', 'url.scheme'];
const SERVER_CONDITIONAL = ['http.response.status_code', 'http.route', 'server.port', 'url.query'];
const SERVER_RECOMMENDED = [
  'client.address',
  'network.peer.address',
  'network.protocol.version',
  'server.address',
  'user_agent.original',
];
const CLIENT_REQUIRED = ['http.request.method', 'server.address', 'server.port', 'url.full'];
const CLIENT_CONDITIONAL = ['http.response.status_code'];

function spansOf(changes: Partial<RequestRecord> = {}): [server: ReadableSpan, ...clients: ReadableSpan[]] {
  const spans = requestSpans(sampleRecord(changes), {
    resource: emptyResource(),
    scope: { name: 'signalbox', version: '1' },
    wallMs: (ms) => EPOCH_MS + ms,
  });
  const [server, ...clients] = spans;
  assert.ok(server);
  return [server, ...clients];
}

function attempt(changes: Partial<RecordedAttempt> = {}): RecordedAttempt {
  const [sample] = sampleRecord().attempts;
  assert.ok(sample);
  return { ...sample, ...changes };
}

function has(span: ReadableSpan | undefined, names: readonly string[]): void {
  for (const name of names) assert.ok(span?.attributes[name] !== undefined, `${name} is missing`);
}

describe('the SERVER span of a request', () => {
  it('has every attribute that the conventions ask for', () => {
    const [server] = spansOf();
    has(server, [...SERVER_REQUIRED, ...SERVER_CONDITIONAL, ...SERVER_RECOMMENDED]);
    assert.equal(server.kind, SpanKind.SERVER);
    assert.equal(server.name, 'GET default');
    assert.deepEqual(
      [server.attributes['url.path'], server.attributes['url.query']],
      ['/things/1', 'page=2'],
    );
    assert.deepEqual(
      [server.attributes['server.address'], server.attributes['server.port']],
      ['example.com', 8080],
    );
  });

  it('says who asked, and what the limiter said', () => {
    const { attributes } = spansOf()[0];
    assert.equal(attributes['signalbox.auth'], 'bearer');
    assert.equal(attributes['signalbox.identity'], 'token:1');
    assert.equal(attributes['signalbox.limit'], 'passed');
    assert.equal(attributes['signalbox.limit.remaining'], 9);
  });

  it('has the states of the machine as events, with the time spent in each', () => {
    const { events } = spansOf()[0];
    assert.deepEqual(
      events.map(({ name, attributes }) => [name, attributes?.['signalbox.state.duration']]),
      [
        ['seeking.authenticating', 0.001],
        ['seeking.limiting', 0.001],
        ['seeking.selecting', 0.001],
        ['seeking.forwarding', 0.005],
        ['responding', 0.002],
        ['responded', undefined],
      ],
    );
    assert.deepEqual(events[0]?.time, [1_700_000_001, 0]);
    assert.deepEqual(events[3]?.time, [1_700_000_001, 3_000_000]);
  });

  it('lasts as long as the request', () => {
    const [server] = spansOf();
    assert.deepEqual(
      [server.startTime, server.endTime],
      [
        [1_700_000_001, 0],
        [1_700_000_001, 10_000_000],
      ],
    );
    assert.deepEqual(server.duration, [0, 10_000_000]);
  });

  it('is below the sender’s, where there is one, and a root otherwise', () => {
    const [server] = spansOf({ parentSpanId: '00f067aa0ba902b7', tracestate: 'a=1,b=2' });
    assert.equal(server.parentSpanContext?.spanId, '00f067aa0ba902b7');
    assert.equal(server.parentSpanContext?.isRemote, true);
    assert.equal(server.spanContext().traceState?.serialize(), 'a=1,b=2');
    assert.equal(spansOf()[0].parentSpanContext, undefined);
  });

  it('has no name of a client’s choice', () => {
    assert.equal(spansOf({ method: '_OTHER' })[0].name, 'HTTP default');
    assert.equal(spansOf({ route: '' })[0].name, 'GET');
    assert.equal(spansOf({ method: '', route: '' })[0].name, 'HTTP');
    assert.equal(spansOf({ route: '' })[0].attributes['http.route'], undefined);
  });

  for (const [what, changes, error] of [
    ['an answer', { status: 200 }, null],
    ['a mistake of the client', { status: 404 }, null],
    [
      'a refusal that the client is to blame for',
      { status: 429, cause: 'rate_limited', outcome: 'refused' },
      null,
    ],
    ['a client that left', { status: 0, outcome: 'abandoned' }, null],
    ['an upstream’s own error', { status: 500 }, '500'],
    ['a refusal that it is not', { status: 503, cause: 'no_upstream', outcome: 'refused' }, 'no_upstream'],
    ['an answer that broke off', { status: 200, outcome: 'truncated' }, 'truncated'],
    ['a worker that ended', { status: 0, outcome: 'lost' }, 'lost'],
  ] as const) {
    it(`${error === null ? 'is no error' : `is the error ${error}`} after ${what}`, () => {
      const [server] = spansOf(changes);
      assert.equal(server.status.code, error === null ? SpanStatusCode.UNSET : SpanStatusCode.ERROR);
      assert.equal(server.attributes['error.type'] ?? null, error);
    });
  }

  it('names the cause of every refusal', () => {
    const [server] = spansOf({ status: 401, cause: 'credentials_missing', outcome: 'refused', attempts: [] });
    assert.equal(server.attributes['signalbox.refusal.cause'], 'credentials_missing');
  });

  it('shows that the sampler would not have had it', () => {
    assert.equal(spansOf({ isSampled: false })[0].attributes['signalbox.kept'], true);
    assert.equal(spansOf()[0].attributes['signalbox.kept'], undefined);
  });
});

describe('the CLIENT span of an attempt', () => {
  it('has every attribute that the conventions ask for', () => {
    const [server, client] = spansOf();
    has(client, [...CLIENT_REQUIRED, ...CLIENT_CONDITIONAL]);
    assert.equal(client?.kind, SpanKind.CLIENT);
    assert.equal(client?.name, 'GET');
    assert.equal(client?.attributes['url.full'], 'http://127.0.0.1:3000/things/1?page=2');
    assert.equal(client?.attributes['http.request.resend_count'], undefined);
    assert.equal(client?.parentSpanContext?.spanId, server.spanContext().spanId);
    assert.equal(client?.spanContext().spanId, 'b7ad6b7169203331');
    assert.equal(client?.spanContext().traceId, server.spanContext().traceId);
  });

  it('is one for each attempt, with why it failed', () => {
    const attempts = [
      attempt({ status: 0, error: 'upstream_unreachable', endMs: 1004 }),
      attempt({ status: 503, endMs: 1006, startMs: 1005 }),
      attempt({ startMs: 1007, endMs: 1008 }),
    ];
    const [, ...clients] = spansOf({ attempts });
    assert.deepEqual(
      clients.map(({ attributes, status }) => [
        attributes['http.request.resend_count'],
        attributes['error.type'],
        status.code,
      ]),
      [
        [undefined, 'upstream_unreachable', SpanStatusCode.ERROR],
        [1, '503', SpanStatusCode.ERROR],
        [2, undefined, SpanStatusCode.UNSET],
      ],
    );
    assert.deepEqual(
      clients.map(({ endTime }) => endTime[1] / 1e6),
      [4, 6, 10],
      'the last one lasts until its answer was passed on',
    );
  });

  it('is an error after an answer that is one', () => {
    const [, client] = spansOf({ status: 404, attempts: [attempt({ status: 404 })] });
    assert.deepEqual([client?.status.code, client?.attributes['error.type']], [SpanStatusCode.ERROR, '404']);
  });

  it('is none when the client left', () => {
    const attempts = [attempt({ status: 0, error: 'client_left' })];
    const [, client] = spansOf({ status: 0, outcome: 'abandoned', attempts });
    assert.equal(client?.status.code, SpanStatusCode.UNSET);
  });
});
