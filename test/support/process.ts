/** Starts real Signalbox processes for tests, on free ports, and makes sure that none outlives its test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A test, or whatever else ends what was started for it. */
export type Cleanup = Pick<TestContext, 'after'>;

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const BIN = join(ROOT, 'bin', 'signalbox');

/** Longer than a loaded machine needs to start a process. */
const START_MS_MAX = 15_000;

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || address === null) throw new Error('the system gave no port');
  return address.port;
}

/** Waits for something to become true, looking often; fails, saying what, after `deadlineMs`. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  deadlineMs = 10_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await isTrue())) {
    if (performance.now() > endMs) throw new Error(`${what}: not within ${deadlineMs} ms`);
    await delay(5);
  }
}

export type Upstreams = readonly { readonly name: string; readonly port: number; readonly weight?: number }[];

/** Sections of a configuration, as in the file; whatever is not said is what the tests usually need. */
export type Config = {
  readonly server?: object;
  readonly load_balancing?: object;
  readonly [section: string]: unknown;
};

export class Instance {
  readonly url: string;
  readonly admin: string;
  readonly port: number;
  readonly child: ChildProcess;
  /** Its configuration. */
  readonly file: string;
  readonly #output: string[] = [];

  constructor(child: ChildProcess, file: string, port: number, adminPort: number) {
    this.file = file;
    this.child = child;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    this.admin = `http://127.0.0.1:${adminPort}`;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => this.#output.push(text));
    }
  }

  /** All that the process has printed so far. */
  get output(): string {
    return this.#output.join('');
  }

  async isReady(): Promise<boolean> {
    const ready = await fetch(`${this.admin}/readyz`).catch(() => null);
    await ready?.text();
    return ready?.status === 200;
  }

  /** Sends a signal and resolves with the exit code when the process has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const exit = once(this.child, 'exit');
      this.child.kill(signal);
      await exit;
    }
    return this.child.exitCode;
  }

  /** Resident memory of the process, bytes. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.child.pid}/status`, 'utf8');
    const [, kilobytes] = /VmRSS:\s+(\d+) kB/.exec(status) ?? [];
    return Number(kilobytes) * 1024;
  }
}

/** Writes a configuration file, JSON being YAML, which goes away with the test. */
export async function writeConfig(t: Cleanup, config: unknown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'proxy.yaml');
  await writeFile(file, typeof config === 'string' ? config : JSON.stringify(config, null, 2));
  return file;
}

/** Starts an instance and waits until it is ready. */
export async function startInstance(...launch: Parameters<typeof launchInstance>): Promise<Instance> {
  const instance = await launchInstance(...launch);
  await until(
    'the instance is ready',
    () => {
      const { exitCode } = instance.child;
      if (exitCode !== null) throw new Error(`the instance ended at once:\n${instance.output}`);
      return instance.isReady();
    },
    START_MS_MAX,
  );
  return instance;
}

/**
 * Launches an instance before the upstreams given, or with any configuration. `script`, where given, is run
 * with the configuration file instead of `signalbox start`. What the instance keeps on disk goes away with
 * the test.
 */
export async function launchInstance(
  t: Cleanup,
  upstreams: Upstreams,
  config: Config = {},
  script: string | null = null,
  env: Readonly<Record<string, string>> = {},
): Promise<Instance> {
  const [port, adminPort] = await Promise.all([freePort(), freePort()]);
  const file = await writeConfig(t, {
    ...config,
    server: {
      listen_address: '127.0.0.1',
      listen_port: port,
      workers: 1,
      // A machine that runs many tests at once is late with everything.
      overload: { lag_ms: 0 },
      ...config.server,
    },
    admin: { listen: `127.0.0.1:${adminPort}` },
    load_balancing: {
      upstreams: upstreams.map(({ name, port, weight }) => ({
        name,
        port,
        weight: weight ?? 1,
        address: '127.0.0.1',
      })),
      ...config.load_balancing,
    },
  });
  const [command, args] =
    script === null ? [BIN, ['start', '--config', file]] : [process.execPath, [script, file]];
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SIGNALBOX_DATA_DIR: dirname(file), ...env },
  });
  const instance = new Instance(child, file, port, adminPort);
  t.after(() => instance.stop('SIGKILL'));
  return instance;
}

/** Runs the command line tool to its end. */
export async function runCommand(
  args: readonly string[],
  input: string | Uint8Array = '',
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(BIN, [...args], { stdio: 'pipe', env: { ...process.env, ...env } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // Not every command reads what it is given.
  child.stdin.on('error', () => {}).end(input);
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}
