import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { change, clusterOf, untilAllServe } from '#test/support/cluster.ts';
import { NatsServer } from '#test/support/nats.ts';
import { freePort, ROOT, startInstance, until } from '#test/support/process.ts';

const PASSWORD = 'correct-horse';

/** The server's configuration as docs/operations.md gives it. */
async function documented(): Promise<string> {
  const page = await readFile(join(ROOT, 'docs', 'operations.md'), 'utf8');
  const [, block = ''] = /```hocon\n(.*?)```/s.exec(page) ?? [];
  return block.replace('$SIGNALBOX_NATS_PASSWORD', JSON.stringify(PASSWORD));
}

describe('the permissions that docs/operations.md lists', () => {
  it('are enough for all that a cluster does', async (t) => {
    const nats = await NatsServer.start(t, await documented());
    const url = `nats://signalbox:${PASSWORD}@127.0.0.1:${nats.port}`;
    const red = { name: 'red', port: await freePort() };
    const config = {
      middleware: {
        auth: { enabled: true, auth_type: 'jwt' },
        rate_limit: { enabled: true, requests_per_minute: 100, burst_size: 10 },
      },
    };
    const env = { NATS_URL: url };
    const members = await Promise.all([1, 2].map(() => startInstance(t, [red], config, null, env)));
    const [one] = members;
    assert.ok(one !== undefined);
    await untilAllServe(members, 'red');
    await change(one, 'POST', '/api/upstreams', { name: 'blue', address: '127.0.0.1', port: 1 });
    await untilAllServe(members, 'blue,red');
    await change(one, 'DELETE', '/api/upstreams/blue');
    await untilAllServe(members, 'red');
    const session = `/api/sessions/revoke?session=${randomUUID()}`;
    assert.equal((await change(one, 'POST', session)).status, 200);
    await nats.restartEmpty();
    await until('all are synced again', async () => {
      const views = await Promise.all(members.map(clusterOf));
      return views.every(({ bus }) => bus === 'synced');
    });
    await untilAllServe(members, 'red');
    for (const { output } of members)
      assert.doesNotMatch(output, /denies|revocation is not|shared limits is not/);
    assert.doesNotMatch(nats.output, /Permissions Violation/i);
  });
});
