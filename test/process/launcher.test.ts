import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { BIN } from '#test/support/process.ts';

/** A checkout with nothing in it but the launcher, and the files given, all of them executable. */
async function checkout(t: TestContext, files: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox test '));
  t.after(() => rm(folder, { recursive: true }));
  await cp(BIN, join(folder, 'bin', 'signalbox'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), content);
    await chmod(join(folder, name), 0o755);
  }
  const env = { PATH: `${join(folder, 'path')}:/usr/bin:/bin` };
  return spawnSync(join(folder, 'bin', 'signalbox'), ['some', 'words'], { encoding: 'utf8', env });
}

const INSTALLED = { 'node_modules/.package-lock.json': '{}' };
const OWN_NODE = { 'node_modules/node/bin/node': '#!/bin/sh\necho own "$@"\n' };
const recentNode = { 'path/node': '#!/bin/sh\n[ "$1" = -e ] && exit 0\necho found "$@"\n' };
const oldNode = { 'path/node': '#!/bin/sh\n[ "$1" = -e ] && exit 1\necho old "$@"\n' };

describe('bin/signalbox', () => {
  it('prefers the Node that was installed with it', async (t) => {
    const { stdout } = await checkout(t, { ...INSTALLED, ...OWN_NODE, ...recentNode });
    assert.match(stdout, /^own \S.*\/src\/cli\/main\.ts some words\n$/);
  });

  it('takes another one that is recent enough', async (t) => {
    const { stdout } = await checkout(t, { ...INSTALLED, ...recentNode });
    assert.match(stdout, /^found \S.*\/src\/cli\/main\.ts some words\n$/);
  });

  it('says what to run when there is no recent one', async (t) => {
    const { status, stdout, stderr } = await checkout(t, { ...INSTALLED, ...oldNode });
    assert.deepEqual({ status, stdout }, { status: 69, stdout: '' });
    assert.match(stderr, /^signalbox: no Node 24\.12 or newer is here \(run `npm ci` in .+\)\n$/);
  });

  it('says what to run when nothing was installed', async (t) => {
    const { status, stderr } = await checkout(t, recentNode);
    assert.equal(status, 69);
    assert.match(stderr, /^signalbox: the dependencies are not installed \(run `npm ci` in .+\)\n$/);
  });
});
