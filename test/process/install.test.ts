import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ROOT } from '#test/support/process.ts';

const ONE = { 'node_modules/one': { version: '1.0.0' } };
const OTHER_PLATFORM = { 'node_modules/other': { version: '1.0.0', optional: true } };

/** Runs the installer in a project with these packages, and tells whether it called npm. */
async function installs(t: TestContext, locked: object, installed: object | null): Promise<boolean> {
  const project = await mkdtemp(join(tmpdir(), 'signalbox-test-'));
  t.after(() => rm(project, { recursive: true }));
  await cp(join(ROOT, 'scripts', 'install.mjs'), join(project, 'scripts', 'install.mjs'));
  await mkdir(join(project, 'node_modules'));
  await writeFile(join(project, 'package-lock.json'), JSON.stringify({ packages: { '': {}, ...locked } }));
  if (installed !== null) {
    const file = join(project, 'node_modules', '.package-lock.json');
    await writeFile(file, JSON.stringify({ packages: installed }));
  }
  const npm = join(project, 'bin', 'npm');
  await mkdir(dirname(npm));
  await writeFile(npm, '#!/bin/sh\n[ "$1" = ci ] && touch called\n');
  await chmod(npm, 0o755);

  const { status, stderr } = spawnSync(process.execPath, [join(project, 'scripts', 'install.mjs')], {
    encoding: 'utf8',
    env: { PATH: [dirname(npm), process.env['PATH']].join(delimiter) },
  });
  assert.equal(status, 0, stderr);
  return existsSync(join(project, 'called'));
}

describe('the installer', () => {
  it('does nothing when all that is locked is installed', async (t) => {
    assert.equal(await installs(t, ONE, ONE), false);
  });

  it('does not miss what is for other platforms', async (t) => {
    assert.equal(await installs(t, { ...ONE, ...OTHER_PLATFORM }, ONE), false);
  });

  it('installs when nothing is there', async (t) => {
    assert.equal(await installs(t, ONE, null), true);
  });

  it('installs what is missing, of another version or no longer locked', async (t) => {
    assert.equal(await installs(t, ONE, {}), true);
    assert.equal(await installs(t, ONE, { 'node_modules/one': { version: '0.9.0' } }), true);
    assert.equal(await installs(t, ONE, { ...ONE, 'node_modules/two': { version: '1.0.0' } }), true);
  });
});
