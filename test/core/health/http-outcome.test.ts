import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpExpectation } from '#core/health/check.ts';
import { httpOutcome } from '#core/health/http-outcome.ts';

const EXPECTED: HttpExpectation = {
  statuses: [
    [200, 299],
    [304, 304],
  ],
  text: null,
};

describe('the answer to a probe', () => {
  it('passes with an expected status', () => {
    for (const status of [200, 204, 299, 304])
      assert.deepEqual(httpOutcome(EXPECTED, status, ''), { passed: true });
  });

  it('fails with any other, which is the reason', () => {
    for (const status of [199, 300, 303, 305, 503]) {
      assert.deepEqual(httpOutcome(EXPECTED, status, ''), { passed: false, reason: `status ${status}` });
    }
  });

  it('passes with the expected text alone, where one is expected', () => {
    const expected = { ...EXPECTED, text: 'ready' };
    assert.deepEqual(httpOutcome(expected, 200, '{"state":"ready"}'), { passed: true });
    const reason = 'body without the expected text';
    assert.deepEqual(httpOutcome(expected, 200, '{"state":"starting"}'), { passed: false, reason });
    assert.deepEqual(httpOutcome(expected, 500, 'ready'), { passed: false, reason: 'status 500' });
  });
});
