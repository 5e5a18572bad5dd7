import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { ROOT } from '#test/support/process.ts';

/** Runs a step of `npm test` in a project that holds these files and nothing else. */
async function runStep(t: TestContext, step: string, files: Record<string, string>) {
  const project = await mkdtemp(join(tmpdir(), 'signalbox-test-'));
  t.after(() => rm(project, { recursive: true }));
  await cp(join(ROOT, 'scripts', 'test.ts'), join(project, 'scripts', 'test.ts'));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), content);
  }
  // node:test runs nothing inside of a test that it runs itself.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const script = join(project, 'scripts', 'test.ts');
  const { status, stdout } = spawnSync(process.execPath, [script, '--only', step], { encoding: 'utf8', env });
  return { status, stdout, lastLine: stdout.trimEnd().split('\n').at(-1) };
}

const tests = (body: string) => `import { describe, it } from 'node:test';\n${body}`;

describe('the test runner', () => {
  it('counts tests, not suites', async (t) => {
    const { status, lastLine } = await runStep(t, 'unit', {
      'test/a.test.ts': tests(`describe('x', () => { it('a', () => {}); it('b', () => {}); });`),
    });
    assert.deepEqual({ status, lastLine }, { status: 0, lastLine: '2 passed, 0 failed' });
  });

  it('leaves process tests to their own step', async (t) => {
    const files = {
      'test/a.test.ts': tests(`it('a', () => {});`),
      'test/process/b.test.ts': tests(`it('b', () => {}); it('c', () => {});`),
    };
    assert.equal((await runStep(t, 'unit', files)).lastLine, '1 passed, 0 failed');
    assert.equal((await runStep(t, 'process', files)).lastLine, '2 passed, 0 failed');
  });

  it('prints what a failing test had to say', async (t) => {
    const { status, stdout, lastLine } = await runStep(t, 'unit', {
      'test/a.test.ts': tests(
        `it('a', () => { console.log('a last word'); throw new Error('the reason'); });`,
      ),
    });
    assert.deepEqual({ status, lastLine }, { status: 1, lastLine: '0 passed, 1 failed' });
    assert.match(stdout, /the reason/);
    assert.match(stdout, /a last word/);
  });

  it('counts a failing hook, a file that cannot be loaded and a file without tests as failures', async (t) => {
    const { lastLine } = await runStep(t, 'unit', {
      'test/hook.test.ts': `import { after } from 'node:test';\n${tests(
        `describe('x', () => { it('a', () => {}); after(() => { throw new Error(); }); });`,
      )}`,
      'test/broken.test.ts': `throw new Error();`,
      'test/empty.test.ts': `export {};`,
    });
    assert.equal(lastLine, '1 passed, 3 failed');
  });

  it('lets a test be left out for a reason only', async (t) => {
    const { stdout, lastLine } = await runStep(t, 'unit', {
      'test/a.test.ts': tests(
        `it('a', { skip: 'no IPv6 here' }, () => {}); it('b', { skip: true }, () => {});`,
      ),
    });
    assert.equal(lastLine, '0 passed, 1 failed');
    assert.match(stdout, /left out: a \(no IPv6 here\)/);
  });

  it('fails a step that runs nothing', async (t) => {
    for (const step of ['unit', 'process', 'smoke']) {
      const { status, lastLine } = await runStep(t, step, {});
      assert.deepEqual({ status, lastLine }, { status: 1, lastLine: '0 passed, 1 failed' });
    }
  });

  it('shows the output of a smoke script that failed, and only of that', async (t) => {
    const { stdout, lastLine } = await runStep(t, 'smoke', {
      'examples/good/smoke.sh': 'echo all is well',
      'examples/bad/smoke.sh': 'echo expected 200, got 500; exit 1',
    });
    assert.equal(lastLine, '1 passed, 1 failed');
    assert.match(stdout, /expected 200, got 500/);
    assert.doesNotMatch(stdout, /all is well/);
  });

  it('knows its steps', async (t) => {
    assert.equal((await runStep(t, 'untit', {})).status, 64);
  });
});
