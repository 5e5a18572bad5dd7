import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ROOT } from '#test/support/process.ts';

/** Runs the script on a machine that has these programs and no others. */
async function run(t: TestContext, programs: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-test-'));
  t.after(() => rm(folder, { recursive: true }));
  for (const [name, script] of Object.entries(programs)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
    await chmod(join(folder, name), 0o755);
  }
  const script = join(ROOT, 'scripts', 'system-packages.sh');
  const { status, stdout, stderr } = spawnSync('/bin/sh', [script], {
    encoding: 'utf8',
    env: { PATH: folder },
  });
  return { status, stdout, stderr };
}

const APT = { 'apt-get': 'echo "apt-get $*" >&2' };

describe('the programs that tests need', () => {
  it('are left alone when they are there', async (t) => {
    const result = await run(t, {
      promtool: '',
      'nats-server': '',
      initdb: '',
      'systemd-analyze': '',
      id: 'echo 0',
      ...APT,
    });
    assert.deepEqual(result, { status: 0, stdout: '', stderr: '' });
  });

  it('are installed by root', async (t) => {
    const { status, stderr } = await run(t, { id: 'echo 0', ...APT });
    assert.equal(status, 0);
    assert.match(stderr, /^apt-get install .* prometheus\b/m);
  });

  it('are named to everyone else', async (t) => {
    for (const programs of [{ id: 'echo 1000', ...APT }, { id: 'echo 0' }]) {
      const { status, stderr } = await run(t, programs);
      assert.equal(status, 1);
      assert.match(stderr, /please install: prometheus/);
    }
  });
});
