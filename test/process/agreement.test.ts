/**
 * Five instances as one proxy: what `npm run bench:agreement` measures, in a few tries and with room for a
 * machine that is busy. The bounds here are those of a cluster that works, not of a quick one.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { accepted, added, drained, killed, loggedOut, reunited } from '#test/support/agreement/figures.ts';
import { startCluster, steadyLoad } from '#test/support/agreement/scene.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { until } from '#test/support/process.ts';

const TRIES = 2;
const BUSY_MS = 3_000;
const JWT = {
  config: {
    middleware: { auth: { auth_type: 'jwt' } },
    accounts: { throttle: { attempts: 1_000, attempts_per_ip: 1_000 } },
  },
};

describe('five instances', () => {
  it('follow what one of them is told, and lose nothing for it', async (t) => {
    const cluster = await startCluster(t, { instances: 5, upstreams: 3 });
    const load = steadyLoad(cluster.instances, 1);
    for (const figures of [
      await killed(cluster, TRIES),
      await added(cluster, TRIES),
      await drained(cluster, TRIES),
    ]) {
      assert.equal(figures.length, TRIES);
      assert.ok(Math.max(...figures) < BUSY_MS, `${figures}`);
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(load.counts.asked > 100);
  });

  it('lose no request of others to kill -9 of one of them, of NATS and of an upstream', async (t) => {
    const cluster = await startCluster(t, { instances: 5, upstreams: 3 });
    const [victim, ...others] = cluster.instances;
    const [upstream] = cluster.upstreams;
    assert.ok(victim && upstream);
    const load = steadyLoad(others, 1);
    const moreIsAsked = async () => {
      const before = load.counts.asked;
      await until('more is asked', () => load.counts.asked > before + 100);
    };
    victim.child.kill('SIGKILL');
    await moreIsAsked();
    await cluster.nats.stop('SIGKILL');
    await moreIsAsked();
    upstream.isBroken = true;
    await moreIsAsked();
    await cluster.nats.restart();
    await moreIsAsked();
    await load.stop();
    assert.deepEqual(load.failures, []);
  });

  it('agree again when NATS has come back', async (t) => {
    const cluster = await startCluster(t, { instances: 5, upstreams: 3 });
    assert.ok((await reunited(cluster)) < 2 * BUSY_MS);
  });
});

describe('three instances', () => {
  it('refuse a session that one of them has ended', async (t) => {
    const postgres = await TestPostgres.start();
    t.after(() => postgres[Symbol.asyncDispose]());
    const env = {
      DATABASE_URL: await postgres.createDatabase(),
      JWT_SECRET: randomBytes(32).toString('base64'),
    };
    const cluster = await startCluster(t, { instances: 3, upstreams: 1, ...JWT, env });
    assert.ok(Math.max(...(await loggedOut(cluster, TRIES))) < BUSY_MS);
  });

  it('let through together what one limit allows', async (t) => {
    const rate_limit = { max_requests: 60, window_seconds: 60, key: 'header:x-client' };
    const config = { middleware: { rate_limit } };
    const cluster = await startCluster(t, { instances: 3, upstreams: 1, config });
    const count = await accepted(cluster, 60, 3, { 'X-Client': 'one' });
    // What two of them let through before they have heard of the third's is what may be too much.
    assert.ok(count >= 60 && count < 90, `${count} of 60`);
  });
});
