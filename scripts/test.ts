// `npm test`: everything that has to hold, in steps from the quickest to the slowest. Every step runs,
// whatever the ones before it said; the last line counts the checks.
//
//   node scripts/test.ts [--only types|lint|unit|process|smoke]
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { run } from 'node:test';
import { dot } from 'node:test/reporters';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** Checks: a test, a tool, a script. */
type Outcome = { passed: number; failed: number };

/** Test files at once, for two cores. */
const FILES_AT_ONCE = 2;
/** Longer than any honest test and any tool takes, so that a hang ends as a failure. */
const TEST_MS_MAX = 60_000;
const TOOL_MS_MAX = 300_000;
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'node_modules', '.bin');

const STEPS: Record<string, () => Outcome | Promise<Outcome>> = {
  types: () => runTool(join(bin, 'tsc'), []),
  lint: () => runTool(join(bin, 'biome'), ['check', '--error-on-warnings']),
  unit: () => runTests('test/**/*.test.ts', ['test/process/**']),
  process: () => runTests('test/process/**/*.test.ts'),
  smoke: runSmokeScripts,
};

const { values: options } = parseArgs({ options: { only: { type: 'string' } } });
const steps = Object.entries(STEPS).filter(([name]) => options.only === undefined || name === options.only);
if (steps.length === 0) {
  console.error(`test: no step is named ${options.only}; there are ${Object.keys(STEPS).join(', ')}`);
  process.exit(64);
}

process.chdir(root);
const total: Outcome = { passed: 0, failed: 0 };
const lines: string[] = [];
for (const [name, runStep] of steps) {
  console.log(`\n== ${name}`);
  const startMs = performance.now();
  const { passed, failed } = await runStep();
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  total.passed += passed;
  total.failed += failed;
  const verdict = failed === 0 ? 'ok' : 'FAILED';
  lines.push(
    `${name.padEnd(8)} ${verdict.padEnd(6)} ${seconds.padStart(6)} s   ${passed} passed, ${failed} failed`,
  );
}
console.log(`\n${lines.join('\n')}\n\n${total.passed} passed, ${total.failed} failed`);
process.exit(total.failed === 0 ? 0 : 1);

/** One tool that is silent, or at least not read, unless it fails. */
function runTool(command: string, args: readonly string[]): Outcome {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    timeout: TOOL_MS_MAX,
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (status === 0) return { passed: 1, failed: 0 };
  console.log(`${stdout ?? ''}${stderr ?? ''}${error?.message ?? ''}`);
  return { passed: 0, failed: 1 };
}

async function runTests(pattern: string, exclude: string[] = []): Promise<Outcome> {
  const files = globSync(pattern, { exclude }).map((file) => resolve(file));
  if (files.length === 0) return failEmpty(pattern);

  const outcome: Outcome = { passed: 0, failed: 0 };
  const outputs = new Map<string, string>();
  const failedFiles = new Set<string>();
  const fail = (file: string | undefined) => {
    outcome.failed++;
    if (file !== undefined) failedFiles.add(file);
  };
  const keep = ({ file, message }: { file?: string | undefined; message: string }) => {
    if (file !== undefined) outputs.set(file, (outputs.get(file) ?? '') + message);
  };

  const events = run({ files, concurrency: FILES_AT_ONCE, timeout: TEST_MS_MAX });
  events.on('test:stdout', keep);
  events.on('test:stderr', keep);
  events.on('test:fail', ({ file, details }) => {
    // A suite fails with its tests, which are counted; by itself it fails only in its hooks.
    const { failureType } = details.error as { failureType?: string };
    if (failureType !== 'subtestsFailed') fail(file);
  });
  events.on('test:pass', ({ name, file, details, skip, todo }) => {
    const omitted = skip ?? todo;
    const isWholeFile = name === file;
    if (details.type === 'suite') return;
    if (omitted === undefined && !isWholeFile) outcome.passed++;
    else if (typeof omitted === 'string') console.log(`\nleft out: ${name} (${omitted})`);
    else {
      console.log(`\n${name}: ${isWholeFile ? 'holds no test' : 'left out without a reason'}`);
      fail(file);
    }
  });
  for await (const text of events.compose(dot)) process.stdout.write(text);

  for (const file of failedFiles) {
    const output = outputs.get(file);
    if (output !== undefined) console.log(`\n-- output of ${file}\n${output}`);
  }
  return outcome;
}

/** Each example proves its own README against running instances; one at a time, as these want both cores. */
function runSmokeScripts(): Outcome {
  const scripts = globSync('examples/*/smoke.sh');
  if (scripts.length === 0) return failEmpty('examples/*/smoke.sh');

  const outcome: Outcome = { passed: 0, failed: 0 };
  for (const script of scripts.toSorted()) {
    const { passed, failed } = runTool('sh', [script]);
    console.log(`${dirname(script)}: ${failed === 0 ? 'ok' : 'FAILED'}`);
    outcome.passed += passed;
    outcome.failed += failed;
  }
  return outcome;
}

/** A step that runs nothing would be green for ever. */
function failEmpty(pattern: string): Outcome {
  console.log(`nothing matches ${pattern}`);
  return { passed: 0, failed: 1 };
}
