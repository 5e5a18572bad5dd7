import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort, startInstance } from '#test/support/process.ts';

describe('a start', () => {
  it('finds what an earlier one compiled, although that was killed', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-test-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const upstreams = [{ name: 'nobody', port: await freePort() }];
    const env = { NODE_COMPILE_CACHE: folder, NODE_DEBUG_NATIVE: 'COMPILE_CACHE' };

    const first = await startInstance(t, upstreams, {}, null, env);
    assert.match(first.output, /no transpile cache for StrippedTypeScript \S+worker\.ts/);
    await first.stop('SIGKILL');

    const second = await startInstance(t, upstreams, {}, null, env);
    assert.match(second.output, /retrieving transpile cache for StrippedTypeScript \S+worker\.ts/);
    assert.doesNotMatch(second.output, /no transpile cache/);
  });
});
