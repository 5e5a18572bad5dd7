import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_TOKENS, Workers } from '#control/workers.ts';
import { systemClock } from '#core/clock.ts';
import { createSharedState } from '#shared/state.ts';
import { burst } from '#test/support/load.ts';
import { keptLog } from '#test/support/log.ts';
import { freePort, until } from '#test/support/process.ts';
import { sampleSettings } from '#test/support/sample-settings.ts';
import { samplePool, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { startUpstream } from '#test/support/upstream.ts';

describe('an upstream that fails again and again', () => {
  it('is told of to the control plane, for each five failures of all workers together', async (t) => {
    const sick = await startUpstream(t, 'sick', (_, response) => response.writeHead(503).end());
    const port = await freePort();
    const { server, ...settings } = sampleSettings(2);
    const failing: string[] = [];
    const upstreams = [sampleUpstream({ name: 'sick', port: sick.port, slot: 7 })];
    const workers = new Workers(
      {
        entry: new URL('../../src/worker.ts', import.meta.url),
        settings: { ...settings, server: { ...server, port } },
        shared: createSharedState({ ...settings, server }),
        reusePort: true,
        answer: async () => null,
        tokens: NO_TOKENS,
        tls: () => null,
        onFailing: (slot, kind) => failing.push(`${slot} ${kind}`),
        clock: systemClock,
        log: keptLog().log,
      },
      sampleTable({ pools: { default: samplePool({ upstreams }) } }),
    );
    t.after(() => workers.cut());
    await workers.start();
    await burst(`http://127.0.0.1:${port}`, 8, 52);
    await until('all is told', () => failing.length >= 10);
    assert.deepEqual(new Set(failing), new Set(['7 gateway_failure']));
    assert.equal(failing.length, 10);
  });
});
