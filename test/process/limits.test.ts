import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, burst, load, tally } from '#test/support/load.ts';
import { startInstance } from '#test/support/process.ts';
import { startUpstreams } from '#test/support/upstream.ts';

const MINUTE_MS = 60_000;

function limited(rateLimit: object) {
  return { server: { workers: 4 }, middleware: { rate_limit: { enabled: true, ...rateLimit } } };
}

describe('a limit', () => {
  it('is exact to the request with four workers and 64 connections', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    // The next request is allowed a minute later: none comes back during the test.
    const limit = { requests_per_minute: 1, burst_size: 500 };
    const instance = await startInstance(t, upstreams, limited(limit));
    const samples = await burst(instance.url, 64, 2000);
    assert.deepEqual(tally(samples.map(({ status }) => status)), { 200: 500, 429: 1500 });
    assert.equal(upstreams[0]?.requests, 500);
  });

  it('is exact as a sliding window, too', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const instance = await startInstance(t, upstreams, limited({ max_requests: 300, window_seconds: 3600 }));
    const samples = await burst(instance.url, 64, 1000);
    assert.deepEqual(tally(samples.map(({ status }) => status)), { 200: 300, 429: 700 });
  });

  it('of 100 a minute lets through 100 a minute', { timeout: 2 * MINUTE_MS }, async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const instance = await startInstance(t, upstreams, limited({ requests_per_minute: 100, burst_size: 10 }));
    const first = await burst(instance.url, 10, 10);
    assert.deepEqual(tally(first.map(({ status }) => status)), { 200: 10 });

    const endMs = performance.now() + MINUTE_MS;
    // Some 200 requests a second, far beyond the limit.
    const pause = () => ({ wait: delay(20) });
    const samples = await load(instance.url, 4, () => performance.now() >= endMs, pause);
    const accepted = samples.filter(({ status }) => status === 200).length;
    assert.ok(accepted >= 99 && accepted <= 101, `${accepted} accepted in a minute`);
  });

  it('tells the client what is left, and when to come back', async (t) => {
    const instance = await startInstance(
      t,
      await startUpstreams(t, ['red']),
      limited({ requests_per_minute: 60, burst_size: 2 }),
    );
    const first = await fetch(instance.url);
    assert.equal(first.headers.get('ratelimit-policy'), '"default";q=60;w=60');
    assert.equal(first.headers.get('ratelimit'), '"default";r=1;t=1');
    assert.equal(first.headers.get('x-rate-limit-limit'), '60');
    assert.equal(first.headers.get('x-rate-limit-remaining'), '1');
    await fetch(instance.url);
    const third = await fetch(instance.url);
    assert.equal(third.status, 429);
    assert.equal(third.headers.get('retry-after'), '1');
    assert.equal(third.headers.get('x-rate-limit-remaining'), '0');
    assert.equal(third.headers.get('content-type'), 'application/problem+json');
  });

  it('cannot be lifted by leaving the header out, nor moved by a forged X-Forwarded-For', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const limit = { requests_per_minute: 1, burst_size: 1, key: 'header:appid' };
    const instance = await startInstance(t, upstreams, limited(limit));
    const statuses = async (headers: Record<string, string>[]) => {
      const samples = [];
      for (const each of headers) samples.push((await ask(instance.url, { headers: each })).status);
      return samples;
    };
    assert.deepEqual(await statuses([{ appid: 'a' }, { appid: 'a' }, { appid: 'b' }]), [200, 429, 200]);
    assert.deepEqual(await statuses([{}, {}, { 'X-Forwarded-For': '203.0.113.9' }]), [200, 429, 429]);
  });

  it('gives a tier its own numbers', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const instance = await startInstance(
      t,
      upstreams,
      limited({
        max_requests: 1,
        window_seconds: 3600,
        key: 'header:appid',
        tiers: [
          {
            match: { header: { name: 'appid', values: ['premium_user'] } },
            max_requests: 10,
            window_seconds: 3600,
          },
        ],
      }),
    );
    const count = async (appid: string) => {
      const samples = await burst(instance.url, 4, 20, () => ({ headers: { appid } }));
      return samples.filter(({ status }) => status === 200).length;
    };
    assert.equal(await count('premium_user'), 10);
    assert.equal(await count('anyone'), 1);
  });
});
