import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROOT } from '#test/support/process.ts';

describe('npm run stack', () => {
  it('brings up a cluster that is at one, is traced, and gives no alarm', () => {
    const script = join(ROOT, 'scripts', 'stack.ts');
    const { status, stdout, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, /everything came together/);
  });
});
