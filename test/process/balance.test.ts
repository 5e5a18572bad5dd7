import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ask, burst, type Sample, tally } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
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
    const held: (() => void)[] = [];
    const hold = (name: string) =>
      startUpstream(t, name, (_, response) => held.push(() => response.end(name)));
    const [red, blue] = await Promise.all([hold('red'), hold('blue')]);
    const instance = await startInstance(t, [{ name: 'red', port: red.port, weight: 3 }, blue], {
      server: { workers: 4 },
      load_balancing: { strategy: 'least_conn' },
    });
    const answers = [];
    for (let open = 1; open <= 40; open++) {
      answers.push(ask(instance.url));
      await until('an upstream has it', () => held.length === open);
    }
    assert.deepEqual([red.requests, blue.requests], [30, 10]);
    for (const answer of held) answer();
    assertAllServed(await Promise.all(answers));
  });

  it('away from an upstream that is slow', async (t) => {
    const upstreams = await Promise.all([startSlow(t, 'slow', 40), startSlow(t, 'quick', 2)]);
    const counts = await share(t, upstreams, { strategy: 'p2c_ewma' });
    assert.ok((counts['quick'] ?? 0) > (counts['slow'] ?? 0) * 3, JSON.stringify(counts));
  });

  it('by key: one upstream a client, the same one from every worker', async (t) => {
    const upstreams = await startUpstreams(t, ['red', 'blue', 'green', 'grey']);
    const instance = await startInstance(t, upstreams, {
      server: { workers: 4 },
      load_balancing: { strategy: 'consistent_hash', hash_key: 'header:x-user' },
    });
    const homes = new Map<string, Set<string>>();
    const users = Array.from({ length: 500 }, (_, index) => `user-${index}`);
    for (let round = 0; round < 4; round++) {
      await Promise.all(
        users.map(async (user) => {
          const { status, body } = await ask(instance.url, { headers: { 'X-User': user } });
          assert.equal(status, 200);
          homes.set(user, (homes.get(user) ?? new Set()).add(body));
        }),
      );
    }
    for (const [user, names] of homes) assert.equal(names.size, 1, `${user} was at ${[...names]}`);
    for (const { name, requests } of upstreams) assert.ok(requests > 250, `${name} got ${requests} of 2000`);
  });
});

/** Answers after a while. */
function startSlow(t: TestContext, name: string, delayMs: number): Promise<TestUpstream> {
  return startUpstream(t, name, (_, response) => {
    setTimeout(() => response.end(name), delayMs);
  });
}
