// Runs before `npm start` and `npm test`: installs the dependencies when they are missing or are not
// those of package-lock.json; with --for-tests, the programs that the tests need as well. Plain JavaScript, because it runs on whatever Node the machine has.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NODE_MAJOR_MIN = 20;
const root = fileURLToPath(new URL('..', import.meta.url));

if (Number.parseInt(process.versions.node, 10) < NODE_MAJOR_MIN) {
  fail(`installing needs Node ${NODE_MAJOR_MIN} or newer, and this is ${process.version}`);
}
if (!isInstalled()) install();
if (process.argv.includes('--for-tests')) installSystemPackages();

/** Compares what is locked with what npm noted that it installed; times of files say less. */
function isInstalled() {
  const locked = packagesOf('package-lock.json');
  const installed = packagesOf(join('node_modules', '.package-lock.json'));
  if (locked === null || installed === null) return false;

  for (const [path, { version, optional }] of Object.entries(locked)) {
    const isProject = path === '';
    const isForAnotherPlatform = optional === true && installed[path] === undefined;
    if (!isProject && !isForAnotherPlatform && installed[path]?.version !== version) return false;
  }
  return Object.keys(installed).every((path) => locked[path] !== undefined);
}

/** The packages of a lock file by path, or null when there is no such file. */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages;
  } catch {
    return null;
  }
}

function install() {
  console.log('Installing dependencies (npm ci) …');
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: pathWithoutOwnNode() } },
  );
  if (status !== 0) fail(`npm ci failed${error === undefined ? '' : `: ${error.message}`}`);
}

/** If that fails, the tests that need them say so. */
function installSystemPackages() {
  spawnSync('sh', [join(root, 'scripts', 'system-packages.sh')], { stdio: 'inherit' });
}

/** npm must not run on the Node in node_modules, which it is about to replace. */
function pathWithoutOwnNode() {
  const own = join(root, 'node_modules');
  return (process.env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !folder.startsWith(own))
    .join(delimiter);
}

function fail(reason) {
  console.error(`signalbox: ${reason}`);
  process.exit(1);
}
