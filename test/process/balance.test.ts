import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { burst, type Sample, tally } from '#test/support/load.ts';
import { startInstance } from '#test/support/process.ts';
import { startUpstream, startUpstreams, type TestUpstream } from '#test/support/upstream.ts';

const REQUESTS = 6000;

async function share(
  t: TestContext,
  upstreams: readonly TestUpstream[],
  loadBalancing: object,
  weights: readonly number[] = [],
): Promise<Record<string, number>> {
  const listed = upstreams.map(({ name, port }, index) => ({ name, port, weight: weights[index] ?? 1 }));
  const instance = await startInstance(t, listed, { server: { workers: 4 }, load_balancing: loadBalancing });
  const samples = await burst(instance.url, 32, REQUESTS);
  assertAllServed(samples);
  return tally(samples.map(({ body }) => body));
}

function assertAllServed(samples: readonly Sample[]): void {
  const others = samples.filter(({ status }) => status !== 200);
  assert.deepEqual(others, []);
}

/** Within one per cent of all requests. */
function assertShares(counts: Record<string, number>, expected: Record<string, number>): void {
  for (const [name, part] of Object.entries(expected)) {
    const off = Math.abs((counts[name] ?? 0) / REQUESTS - part);
    assert.ok(off <= 0.01, `${name} got ${counts[name]} of ${REQUESTS}, not ${part * REQUESTS}`);
  }
}

describe('four workers balance', () => {
  it('in turns, exactly, whichever worker a connection reached', async (t) => {
    const counts = await share(t, await startUpstreams(t, ['red', 'blue', 'green']), {});
    assert.deepEqual(counts, { red: REQUESTS / 3, blue: REQUESTS / 3, green: REQUESTS / 3 });
  });

  it('in turns by weight', async (t) => {
    const upstreams = await startUpstreams(t, ['red', 'blue', 'green']);
    const counts = await share(t, upstreams, { strategy: 'round_robin' }, [3, 2, 1]);
    assert.deepEqual(counts, { red: REQUESTS / 2, blue: REQUESTS / 3, green: REQUESTS / 6 });
  });

  it('at random by weight', async (t) => {
    const upstreams = await startUpstreams(t, ['red', 'blue']);
    const counts = await share(t, upstreams, { strategy: 'random' }, [3, 1]);
    // Five standard deviations of a fair draw; a wrong weight is far outside.
    const deviation = Math.sqrt(REQUESTS * 0.75 * 0.25) * 5;
    assert.ok(Math.abs((counts['red'] ?? 0) - REQUESTS * 0.75) < deviation, JSON.stringify(counts));
  });

  it('by connections, weights included', async (t) => {
    const upstreams = await Promise.all(['red', 'blue'].map((name) => startSlow(t, name, () => 10)));
    const counts = await share(t, upstreams, { strategy: 'least_conn' }, [3, 1]);
    assertShares(counts, { red: 0.75, blue: 0.25 });
  });

  it('away from an upstream that is slow', async (t) => {
    const upstreams = await Promise.all([startSlow(t, 'slow', () => 40), startSlow(t, 'quick', () => 2)]);
    const counts = await share(t, upstreams, { strategy: 'p2c_ewma' });
    assert.ok((counts['quick'] ?? 0) > (counts['slow'] ?? 0) * 3, JSON.stringify(counts));
  });

  it('by key: one upstream a client, the same one from every worker', async (t) => {
    const upstreams = await startUpstreams(t, ['red', 'blue', 'green', 'grey']);
    const instance = await startInstance(t, upstreams, {
      server: { workers: 4 },
      load_balancing: { strategy: 'consistent_hash', hash_key: 'header:x-user' },
    });
    const samples = await burst(instance.url, 32, REQUESTS, (sequence) => ({
      headers: { 'X-User': `user-${sequence % 500}` },
      path: `/${sequence % 500}`,
    }));
    assertAllServed(samples);
    const homes = new Map<string, Set<string>>();
    for (const upstream of upstreams) {
      assert.ok(upstream.requests > REQUESTS / 8, `${upstream.name} got ${upstream.requests}`);
      homes.set(upstream.name, new Set());
    }
    // Asked again, each user is where it was before.
    const home = async (user: number) => {
      const [sample] = await burst(instance.url, 1, 1, () => ({ headers: { 'X-User': `user-${user}` } }));
      return sample?.body;
    };
    for (let user = 0; user < 50; user++) assert.equal(await home(user), await home(user));
  });
});

/** Answers after a while that may depend on the request's number. */
function startSlow(t: TestContext, name: string, delayMs: () => number): Promise<TestUpstream> {
  return startUpstream(t, name, (_, response) => {
    setTimeout(() => response.end(name), delayMs());
  });
}
