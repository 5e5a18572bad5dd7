import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { underHeaderRules } from '#core/header-rules.ts';
import { headerList } from '#core/headers.ts';
import { responseHeaders, type Stamp } from '#core/response-headers.ts';
import type { HeaderNames, HeaderRules } from '#core/table.ts';
import { sampleRoute, sampleTable } from '#test/support/sample-table.ts';

const NO_RULES = sampleRoute().responseHeaders;
const ALL_OFF: Partial<HeaderNames> = {
  requestId: null,
  responseTime: null,
  proxyBy: null,
  backend: null,
  via: null,
};

type Scene = {
  names?: Partial<HeaderNames>;
  stamp?: Partial<Stamp>;
  rules?: Partial<HeaderRules>;
  extra?: readonly string[];
  status?: number;
};

function answer(
  received: readonly string[],
  { names, stamp, rules, extra = [], status = 200 }: Scene = {},
): string[] {
  const base = { requestId: 'abc', elapsedMs: 12.4, upstreamName: 'red' };
  const full = { ...base, names: { ...sampleTable().headers, ...names }, ...stamp };
  const fields = Fields.of(received);
  const notices = Fields.of(extra);
  const first = responseHeaders(status, fields, full, null, notices);
  // What was found out for one answer holds for the next one, whatever its status.
  responseHeaders(status === 204 ? 200 : 204, fields, full, null, notices);
  const headers = responseHeaders(status, fields, full, null, notices);
  assert.deepEqual(headers.flat(), first.flat());
  const facts = { clientAddress: '', host: '', requestId: '', routeName: '', upstreamName: '', tls: null };
  const ruled = underHeaderRules(headers, { ...NO_RULES, ...rules }, facts);
  assert.ok(ruled.isSound);
  return ruled.flat();
}

describe('an answer', () => {
  it('keeps what the upstream said, in order, with its case and duplicates', () => {
    const received = [
      'Set-Cookie',
      'a=1',
      'x-B',
      '',
      'set-cookie',
      'b=2',
      'Content-Length',
      '5',
      'Date',
      'now',
    ];
    assert.deepEqual(answer(received, { names: ALL_OFF }), received);
  });

  it('has no length where there can be no content', () => {
    // RFC 9110 §8.6: a 204 with a length passed as it was.
    const received = ['Content-Length', '5', 'X-A', '1'];
    for (const status of [101, 204])
      assert.deepEqual(answer(received, { names: ALL_OFF, status }), ['X-A', '1']);
    for (const status of [200, 205, 304])
      assert.deepEqual(answer(received, { names: ALL_OFF, status }), received);
  });

  it('loses what was meant for the hop behind us, and what Connection names', () => {
    const received = ['Connection', 'keep-alive, X-Hop', 'Keep-Alive', 'timeout=5', 'X-HOP', '1'];
    received.push('Transfer-Encoding', 'chunked', 'Upgrade', 'h2c', 'Proxy-Authenticate', 'Basic', 'TE', 'x');
    assert.deepEqual(answer([...received, 'X-Kept', '2'], { names: ALL_OFF }), ['X-Kept', '2']);
  });

  it('keeps its length and type even if Connection names them', () => {
    const received = [
      'Content-Length',
      '5',
      'Content-Type',
      'x/y',
      'Connection',
      'content-length, Content-Type',
    ];
    assert.deepEqual(answer(received, { names: ALL_OFF }), received.slice(0, 4));
  });

  it('says who made it, for which request and how fast', () => {
    assert.deepEqual(answer([]), [
      'X-Request-ID',
      'abc',
      'X-Response-Time',
      '12ms',
      'X-Proxy-By',
      'signalbox',
      'X-Backend',
      'red',
      'Via',
      '1.1 signalbox',
    ]);
  });

  it('does not let an upstream speak in our name', () => {
    const received = ['x-request-id', 'u', 'X-RESPONSE-TIME', '0ms', 'x-proxy-by', 'u', 'X-Backend', 'u'];
    const headers = answer(received);
    assert.equal(headerList(headers, 'x-request-id'), 'abc');
    assert.equal(headerList(headers, 'x-response-time'), '12ms');
    assert.equal(headerList(headers, 'x-proxy-by'), 'signalbox');
    assert.equal(headerList(headers, 'x-backend'), 'red');
  });

  it('lets the upstream speak where we do not', () => {
    const received = ['X-Request-ID', 'u', 'X-Response-Time', '0ms', 'Via', '1.1 cache'];
    assert.deepEqual(answer(received, { names: ALL_OFF }).toSorted(), received.toSorted());
  });

  it('uses other names where it is told to', () => {
    const names = { requestId: 'Correlation-ID', backend: 'X-Served-By', responseTime: 'Server-Time' };
    const headers = answer(['correlation-id', 'u', 'X-Request-ID', 'passes'], { names });
    assert.equal(headerList(headers, 'correlation-id'), 'abc');
    assert.equal(headerList(headers, 'x-request-id'), 'passes');
    assert.equal(headerList(headers, 'x-served-by'), 'red');
    assert.equal(headerList(headers, 'server-time'), '12ms');
  });

  it('names no upstream where there was none', () => {
    assert.equal(headerList(answer([], { stamp: { upstreamName: null } }), 'x-backend'), null);
  });

  it('extends Via', () => {
    assert.equal(headerList(answer(['Via', '1.0 a', 'via', '1.1 b']), 'via'), '1.0 a, 1.1 b, 1.1 signalbox');
  });

  it("hides the upstream's Server unless it may pass", () => {
    assert.equal(headerList(answer(['SERVER', 'nginx']), 'server'), null);
    assert.equal(headerList(answer(['Server', 'nginx'], { names: { passServer: true } }), 'server'), 'nginx');
  });

  it('carries notices, and obeys the rules of the route last', () => {
    const headers = answer(['X-Powered-By', 'php', 'Vary', 'a'], {
      extra: ['RateLimit', 'r=1'],
      rules: { remove: ['x-powered-by', 'x-backend'], set: [['RateLimit', 'hidden']], add: [['Vary', 'b']] },
    });
    assert.equal(headerList(headers, 'x-powered-by'), null);
    assert.equal(headerList(headers, 'x-backend'), null);
    assert.equal(headerList(headers, 'ratelimit'), 'hidden');
    assert.equal(headerList(headers, 'vary'), 'a, b');
  });
});
