import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ask, load, tally } from '#test/support/load.ts';
import { type Instance, ROOT, startInstance, until } from '#test/support/process.ts';
import { startUpstream } from '#test/support/upstream.ts';

const FRAGILE = join(ROOT, 'test', 'process', 'fixtures', 'fragile-instance.ts');

async function isAtRest(instance: Instance): Promise<boolean> {
  const metrics = await (await fetch(`${instance.admin}/metrics`)).text();
  const list = await (await fetch(`${instance.admin}/api/upstreams`)).text();
  return /^signalbox_connections 0$/m.test(metrics) && list.includes('"in_flight":0');
}

async function startFragile(t: TestContext, workers: number): Promise<Instance> {
  const upstream = await startUpstream(t, 'slow', (_, response) => {
    setTimeout(() => response.end('slow'), 20);
  });
  return startInstance(t, [upstream], { server: { workers } }, FRAGILE);
}

describe('a worker that dies', () => {
  it('is replaced, while the others serve, and leaves nothing counted behind', async (t) => {
    const instance = await startFragile(t, 2);
    const count = (text: string) => instance.output.split(text).length - 1;

    let isOver = false;
    const running = load(instance.url, 16, () => isOver);
    for (let death = 1; death <= 3; death++) {
      await ask(instance.url, { path: '/die' });
      // Until its thread has ended, the system hands some new connections to it, and they end with it.
      await until('its thread has ended', () => count('it will be replaced') >= death);
      assert.equal((await ask(instance.url)).status, 200, 'the other worker does not serve');
      await until('it is replaced', () => count('worker replaced') >= death);
    }
    isOver = true;
    const statuses = tally((await running).map(({ status }) => status));
    assert.deepEqual(Object.keys(statuses).sort(), ['0', '200'], 'only connections of the dead are lost');
    await until('nothing is counted as under way', () => isAtRest(instance));
    assert.equal(await instance.stop(), 0);
  });
});

describe('a worker in which something is thrown that nobody catches', () => {
  for (const workers of [1, 2]) {
    it(`loses no request but that one, and is replaced: one of ${workers}`, async (t) => {
      const instance = await startFragile(t, workers);
      const count = (text: string) => instance.output.split(text).length - 1;

      let isOver = false;
      const running = load(instance.url, 16, () => isOver);
      for (let failure = 1; failure <= 3; failure++) {
        // One that was replaced a moment ago may still accept, and fail again, to which nothing has to be done.
        await until('it is replaced', async () => {
          assert.equal((await ask(instance.url, { path: '/crash' })).status, 0);
          return count('worker replaced') >= failure;
        });
      }
      isOver = true;
      const statuses = tally((await running).map(({ status }) => status));
      assert.deepEqual(Object.keys(statuses), ['200']);
      assert.match(instance.output, /crashed for a test.*a request failed by a mistake in Signalbox/);
      await until('nothing is counted as under way', () => isAtRest(instance));
      assert.equal(await instance.stop(), 0);
    });
  }
});
