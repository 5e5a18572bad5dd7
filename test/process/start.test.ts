import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { freePort, runCommand, startInstance, until, writeConfig } from '#test/support/process.ts';

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

  it('collects what it has left', async (t) => {
    const watch = `const { gc } = globalThis; globalThis.gc = (how) => { gc(how); console.log('collected'); };`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watch)}` };
    const upstreams = [{ name: 'nobody', port: await freePort() }];
    const instance = await startInstance(t, upstreams, {}, null, env);
    await until('it has collected', () => instance.output.includes('collected'));
    assert.equal(await instance.stop(), 0);
  });

  it('says what is in its way where Node may not make code of strings', async (t) => {
    const file = await writeConfig(t, { load_balancing: { upstreams: [] } });
    const env = { NODE_OPTIONS: '--disallow-code-generation-from-strings' };
    const { code, stderr } = await runCommand(['start', '--config', file], '', env);
    assert.equal(code, 69);
    assert.match(stderr, /^signalbox: .+ leave out --disallow-code-generation-from-strings\n$/);
  });
});
