import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldName } from '#core/field-names.ts';
import { Fields } from '#core/fields.ts';
import { problemAnswer } from '#core/problem.ts';
import { REFUSALS, type Refusal } from '#core/refusals.ts';
import type { Stamp } from '#core/response-headers.ts';
import { CAUSES, sampleRefusal } from '#test/support/refusals.ts';
import { sampleTable } from '#test/support/sample-table.ts';

const NAMES = sampleTable().headers;

function problem(refusal: Refusal, stamp: Partial<Stamp> = {}, extra: readonly string[] = []) {
  const answer = problemAnswer(
    refusal,
    { names: NAMES, requestId: '0af7', elapsedMs: 1, upstreamName: null, ...stamp },
    Fields.of(extra),
  );
  return { ...answer, header: (name: string) => answer.headers.list(fieldName(name)) };
}

describe('a refusal', () => {
  for (const cause of CAUSES) {
    it(`for ${cause} is a problem of RFC 9457`, () => {
      const { status, reason, body, header } = problem(sampleRefusal(cause));
      assert.deepEqual(JSON.parse(body), {
        type: 'about:blank',
        title: reason,
        status,
        detail: REFUSALS[cause].detail,
        error: REFUSALS[cause].error,
        request_id: '0af7',
      });
      assert.equal(header('content-type'), 'application/problem+json');
      assert.equal(header('content-length'), `${Buffer.byteLength(body)}`);
      assert.equal(header('x-request-id'), '0af7');
    });
  }

  it('counts bytes, not characters, in its length', () => {
    const { body, header } = problem({ cause: 'internal' }, { requestId: 'ünïcödé' });
    assert.equal(header('content-length'), `${Buffer.byteLength(body)}`);
    assert.equal(JSON.parse(body).request_id, 'ünïcödé');
  });

  it('names no upstream and says nothing of our insides', () => {
    for (const cause of CAUSES) {
      const { body, headers } = problem(sampleRefusal(cause));
      assert.doesNotMatch(`${body}${headers.text}`, /\d+\.\d+\.\d+\.\d+|undici|Error:|\/src\/|\n +at /);
      assert.ok(!headers.has(fieldName('X-Backend')));
    }
  });

  it('says in Proxy-Status what an upstream did, by our name in Via', () => {
    assert.equal(
      problem({ cause: 'connect_timeout' }).header('proxy-status'),
      'signalbox; error=connection_timeout',
    );
    assert.equal(problem({ cause: 'no_route' }).header('proxy-status'), null);
    const named = (via: string | null) =>
      problem({ cause: 'no_upstream' }, { names: { ...NAMES, via } }).header('proxy-status');
    assert.equal(named('edge'), 'edge; error=destination_unavailable');
    assert.equal(named(null), 'signalbox; error=destination_unavailable');
  });

  it('says when to come back, and only where that helps', () => {
    for (const cause of CAUSES) {
      const { status, header } = problem(sampleRefusal(cause));
      const helps = status === 429 || status === 503;
      assert.equal(header('retry-after') !== null, helps, cause);
    }
    assert.equal(problem({ cause: 'rate_limited', retryAfterSeconds: 9 }).header('retry-after'), '9');
    assert.equal(problem({ cause: 'no_upstream' }).header('retry-after'), '1');
  });

  it('says how to be let in, or what else to do', () => {
    for (const cause of CAUSES) {
      const { status, header } = problem(sampleRefusal(cause));
      assert.equal(header('www-authenticate') !== null, status === 401, cause);
      assert.equal(header('allow') !== null, status === 405, cause);
    }
  });

  it('carries its challenge and the notices of the request', () => {
    const refusal: Refusal = { cause: 'credentials_missing', challenge: 'Bearer realm="x"' };
    const { header } = problem(refusal, {}, ['RateLimit', 'r=0', 'Connection', 'close']);
    assert.equal(header('www-authenticate'), 'Bearer realm="x"');
    assert.equal(header('ratelimit'), 'r=0');
    assert.equal(header('connection'), 'close');
  });
});
