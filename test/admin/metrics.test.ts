import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it, type TestContext } from 'node:test';

import { metricsRoutes } from '#admin/metrics.ts';
import { startAdminServer } from '#admin/server.ts';
import { MetricsText } from '#telemetry/metrics-text.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const NONE = new MetricsText({}, 'here', [], new VirtualClock());

async function start(t: TestContext, token: string | null, enabled = true): Promise<string> {
  const routes = metricsRoutes({ enabled, listener: 'admin', endpoint: '/numbers' }, NONE);
  const server = await startAdminServer({ address: '127.0.0.1', port: 0, token }, routes, keptLog().log);
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return `http://127.0.0.1:${address.port}`;
}

describe('metrics on the admin listener', () => {
  it('are served where the configuration says, in a type that scrapers know', async (t) => {
    const url = await start(t, null);
    const response = await fetch(`${url}/numbers`);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8');
    assert.match(await response.text(), /^target_info\{.*service_instance_id="here".*\} 1$/m);
    assert.equal((await fetch(`${url}/metrics`)).status, 404);
  });

  it('ask for the admin token', async (t) => {
    const url = await start(t, 'secret');
    assert.equal((await fetch(`${url}/numbers`)).status, 401);
    const headers = { Authorization: 'Bearer secret' };
    assert.equal((await fetch(`${url}/numbers`, { headers })).status, 200);
  });

  it('are not there when they are turned off', async (t) => {
    const url = await start(t, null, false);
    assert.equal((await fetch(`${url}/numbers`)).status, 404);
  });
});
