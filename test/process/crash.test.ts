import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, load, tally } from '#test/support/load.ts';
import { ROOT, startInstance, until } from '#test/support/process.ts';
import { startUpstream } from '#test/support/upstream.ts';

const FRAGILE = join(ROOT, 'test', 'process', 'fixtures', 'fragile-instance.ts');

describe('a worker that crashes', () => {
  it('is replaced, while the others serve, and leaves nothing counted behind', async (t) => {
    const upstream = await startUpstream(t, 'slow', (_, response) => {
      setTimeout(() => response.end('slow'), 20);
    });
    const instance = await startInstance(t, [upstream], { server: { workers: 2 } }, FRAGILE);
    const count = (text: string) => instance.output.split(text).length - 1;

    let isOver = false;
    const running = load(instance.url, 16, () => isOver);
    for (let crash = 1; crash <= 3; crash++) {
      await ask(instance.url, { path: '/crash' });
      // Until its thread has ended, the system hands some new connections to it, and they end with it.
      await until('its thread has ended', () => count('it will be replaced') >= crash);
      assert.equal((await ask(instance.url)).status, 200, 'the other worker does not serve');
      await until('it is replaced', () => count('worker replaced') >= crash);
    }
    isOver = true;
    const statuses = tally((await running).map(({ status }) => status));
    assert.deepEqual(Object.keys(statuses).sort(), ['0', '200'], 'only connections of the dead are lost');

    await until('nothing is counted as under way', async () => {
      const metrics = await (await fetch(`${instance.admin}/metrics`)).text();
      const list = await (await fetch(`${instance.admin}/api/upstreams`)).text();
      return /^signalbox_connections 0$/m.test(metrics) && list.includes('"in_flight":0');
    });
    assert.equal(await instance.stop(), 0);
  });
});
