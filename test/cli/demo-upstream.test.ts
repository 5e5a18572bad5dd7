import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { startDemoUpstream } from '#cli/demo-upstream.ts';
import { SignalboxError } from '#core/errors.ts';
import type { Upstream } from '#core/table.ts';

/** On any free port unless told which. */
function upstreamOn(port = 0): Upstream {
  const host = { kind: 'client' } as const;
  return {
    name: 'backend1',
    pool: 'default',
    address: '127.0.0.1',
    port,
    weight: 1,
    slot: 0,
    tls: null,
    protocol: 'http/1.1',
    inFlightMax: null,
    host,
    state: 'ready',
    drainMs: 30_000,
  };
}

async function started(t: TestContext): Promise<number> {
  const server = await startDemoUpstream(upstreamOn());
  t.after(() => server.close().closeAllConnections());
  return (server.address() as { port: number }).port;
}

describe('a demo upstream', () => {
  it('says its name and what it was asked', async (t) => {
    const port = await started(t);
    const response = await fetch(`http://127.0.0.1:${port}/a?b=c`, { method: 'PUT', body: 'x' });
    assert.equal(await response.text(), 'backend1 says hello: PUT /a?b=c\n');
  });

  it('shows the headers that reached it', async (t) => {
    const port = await started(t);
    const response = await fetch(`http://127.0.0.1:${port}/headers`, { headers: { 'X-Mine': 'yes' } });
    const { upstream, headers } = (await response.json()) as { upstream: string; headers: object };
    assert.equal(upstream, 'backend1');
    assert.ok('x-mine' in headers);
  });

  it('names its port when that is taken', async (t) => {
    const port = await started(t);
    await assert.rejects(startDemoUpstream(upstreamOn(port)), (error) => {
      assert.ok(error instanceof SignalboxError);
      assert.match(error.message, new RegExp(`^demo upstream backend1: 127\\.0\\.0\\.1:${port} is taken`));
      return true;
    });
  });
});
