import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Limit } from '#core/table.ts';
import { load, UPSTREAMS } from '../support.ts';

function limitOf(text: string): Limit {
  const [route] = load(`${UPSTREAMS}middleware: {rate_limit: ${text}}\n`).table.routes;
  return route?.limit ?? assert.fail('no limit');
}

describe('the limit of a table', () => {
  it('has a burst of a tenth of the rate, at least one', () => {
    const burstOf = (rate: number) => limitOf(`{requests_per_minute: ${rate}}`).quota;
    assert.deepEqual(burstOf(100), { kind: 'gcra', requests: 100, windowMs: 60_000, burst: 10 });
    assert.deepEqual(burstOf(25), { kind: 'gcra', requests: 25, windowMs: 60_000, burst: 3 });
    assert.deepEqual(burstOf(1), { kind: 'gcra', requests: 1, windowMs: 60_000, burst: 1 });
  });

  it('takes the algorithm whose numbers it has', () => {
    const quota = { kind: 'sliding_window', requests: 10, windowMs: 60_000 };
    assert.deepEqual(limitOf('{max_requests: 10, window_seconds: 60}').quota, quota);
    assert.deepEqual(
      limitOf('{algorithm: sliding_window, max_requests: 10, window_seconds: 60}').quota,
      quota,
    );
  });

  it('tells clients apart by one thing or several', () => {
    assert.deepEqual(limitOf('{requests_per_minute: 1, key: "header:AppId"}').key, [
      { kind: 'header', name: 'appid' },
    ]);
    assert.deepEqual(limitOf('{requests_per_minute: 1, key: [route, client_ip]}').key, [
      { kind: 'route' },
      { kind: 'client_ip' },
    ]);
  });

  it('has tiers with numbers of the same algorithm', () => {
    const tiers = '[{match: {header: {name: AppId, values: gold}}, max_requests: 10, window_seconds: 1}]';
    assert.deepEqual(limitOf(`{max_requests: 1, window_seconds: 1, tiers: ${tiers}}`).tiers, [
      {
        match: { kind: 'header', name: 'appid' },
        values: ['gold'],
        quota: { kind: 'sliding_window', requests: 10, windowMs: 1000 },
      },
    ]);
  });

  it('has tiers for users', () => {
    const text = `${UPSTREAMS}middleware:
  auth: {valid_tokens: [t]}
  rate_limit:
    requests_per_minute: 1
    tiers: [{match: {user: [a, b]}, requests_per_minute: 60, burst_size: 2}]
`;
    assert.deepEqual(load(text).table.routes[0]?.limit?.tiers, [
      {
        match: { kind: 'user' },
        values: ['a', 'b'],
        quota: { kind: 'gcra', requests: 60, windowMs: 60_000, burst: 2 },
      },
    ]);
  });
});
