import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { burst } from '#test/support/load.ts';
import { startInstance, until } from '#test/support/process.ts';
import { startUpstreams } from '#test/support/upstream.ts';

describe('the access log', () => {
  it('has a line for each request that was served, whichever worker served it', async (t) => {
    const upstreams = await startUpstreams(t, ['red']);
    const config = { server: { workers: 2 }, log: { access: true } };
    const instance = await startInstance(t, upstreams, config);
    await burst(instance.url, 8, 200, (nth) => ({ path: `/things/${nth}` }));
    const paths = () =>
      new Set([...instance.output.matchAll(/"url\.path":"(\/things\/\d+)"/g)].map(([, path]) => path));
    await until('every request is logged', () => paths().size === 200);
    assert.equal(await instance.stop(), 0);
    assert.match(instance.output, /"http\.response\.status_code":200/);
  });

  it('is silent unless the configuration says otherwise', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    await burst(instance.url, 2, 10);
    assert.equal(await instance.stop(), 0);
    assert.doesNotMatch(instance.output, /url\.path/);
  });
});
