import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldName } from '#core/field-names.ts';
import { Fields } from '#core/fields.ts';
import { emptyDecision } from '#core/limits/decision.ts';
import { addLimitHeaders, retryAfterSeconds } from '#core/limits/headers.ts';
import type { Quota } from '#core/table.ts';

const quota: Quota = { kind: 'gcra', requests: 100, windowMs: 60_000, burst: 50 };

describe('limit headers', () => {
  it('tell the policy and what is left, in whole seconds rounded up', () => {
    const headers = Fields.of(['Via', '1.1 signalbox']);
    const decision = { allowed: true, remaining: 42, resetMs: 2_001, retryAfterMs: 0 };
    addLimitHeaders(headers, 'default', quota, decision);
    assert.deepEqual(headers.flat(), [
      'Via',
      '1.1 signalbox',
      'RateLimit-Policy',
      '"default";q=100;w=60',
      'X-Rate-Limit-Limit',
      '100',
      'RateLimit',
      '"default";r=42;t=3',
      'X-Rate-Limit-Reset',
      '3',
      'X-Rate-Limit-Remaining',
      '42',
    ]);
  });

  it('tell any time, as often as they are asked', () => {
    for (const seconds of [0, 1, 63, 64, 86_400, 1, 64]) {
      const headers = new Fields();
      addLimitHeaders(headers, 'default', quota, { ...emptyDecision(), resetMs: seconds * 1000 });
      assert.equal(headers.value(fieldName('x-rate-limit-reset')), `${seconds}`);
      assert.equal(headers.value(fieldName('ratelimit')), `"default";r=0;t=${seconds}`);
    }
  });

  it('quote a policy name as a structured field, whatever characters it has', () => {
    const headers = new Fields();
    addLimitHeaders(headers, 'a "b" \\ü\r\nX: y', quota, emptyDecision());
    assert.ok(headers.isSound);
    assert.equal(headers.valueAt(0), '"a \\"b\\" \\\\???X: y";q=100;w=60');
  });
});

describe('Retry-After', () => {
  it('is rounded up, and never 0', () => {
    const after = (retryAfterMs: number) => retryAfterSeconds({ ...emptyDecision(), retryAfterMs });
    assert.deepEqual([0, 0.01, 1_000, 1_000.01].map(after), [1, 1, 1, 2]);
  });
});
