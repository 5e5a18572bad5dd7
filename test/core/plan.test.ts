import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { planFor } from '#core/plan.ts';
import { sampleRoute } from '#test/support/sample-table.ts';

const ROUTE = sampleRoute({
  retry: { attempts: 3, onStatus: [502, 503], nonIdempotent: false, bodyBufferBytes: 100 },
});

describe('the plan of a request', () => {
  it('takes tries and statuses from its route', () => {
    const { attemptsMax, retryOnStatus } = planFor(ROUTE, 'GET', 0);
    assert.equal(attemptsMax, 3);
    assert.deepEqual(retryOnStatus, [502, 503]);
  });

  it('sends idempotent methods again, others only where the route says so (RFC 9110 §9.2.2)', () => {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
      assert.ok(planFor(ROUTE, method, 0).resendable, method);
    for (const method of ['POST', 'PATCH', 'CONNECT', 'get', 'BREW'])
      assert.ok(!planFor(ROUTE, method, 0).resendable, method);
    const route = sampleRoute({ retry: { ...ROUTE.retry, nonIdempotent: true } });
    assert.ok(planFor(route, 'POST', 0).resendable);
  });

  it('waits for a body first, unless nothing of it may be kept', () => {
    assert.ok(!planFor(ROUTE, 'POST', 0).receivesFirst);
    for (const bytes of [1, 101, Number.POSITIVE_INFINITY])
      assert.ok(planFor(ROUTE, 'POST', bytes).receivesFirst);
    const streaming = sampleRoute({ retry: { ...ROUTE.retry, bodyBufferBytes: 0 } });
    assert.ok(!planFor(streaming, 'POST', 1).receivesFirst);
  });

  it('has deadlines unless the body is too long to be kept, or may be', () => {
    const { attemptMs, requestMs } = ROUTE.timeouts;
    for (const bytes of [0, 1, 100]) {
      const plan = planFor(ROUTE, 'POST', bytes);
      assert.deepEqual([plan.attemptMs, plan.requestMs], [attemptMs, requestMs]);
    }
    for (const bytes of [101, Number.POSITIVE_INFINITY]) {
      const plan = planFor(ROUTE, 'POST', bytes);
      assert.deepEqual(
        [plan.attemptMs, plan.requestMs],
        [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
      );
    }
  });
});
