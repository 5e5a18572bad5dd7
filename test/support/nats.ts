/** Starts real NATS servers with JetStream for tests, on free ports, and makes sure that none outlives its test. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type Cleanup, freePort, until } from './process.ts';

/** Debian keeps it where only root looks. */
const PATH = [process.env['PATH'], '/usr/sbin', '/usr/local/sbin'].join(delimiter);

export class NatsServer {
  readonly port: number;
  /** Everything of it: configuration, stored streams. */
  readonly folder: string;
  #child: ChildProcess | null = null;
  #output = '';

  private constructor(port: number, folder: string) {
    this.port = port;
    this.folder = folder;
  }

  /** `config` is added to the server's configuration: users, permissions, TLS. */
  static async start(t: Cleanup, config = '', port?: number): Promise<NatsServer> {
    const server = new NatsServer(
      port ?? (await freePort()),
      await mkdtemp(join(tmpdir(), 'signalbox-nats-')),
    );
    t.after(async () => {
      await server.stop('SIGKILL');
      await rm(server.folder, { recursive: true, force: true });
    });
    await writeFile(
      join(server.folder, 'nats.conf'),
      `listen: "127.0.0.1:${server.port}"\njetstream { store_dir: "${server.#store}" }\n${config}\n`,
    );
    await server.#start();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get output(): string {
    return this.#output;
  }

  /** Ends the process; whoever is connected notices. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    // A paused process takes no other signal.
    if (signal !== 'SIGKILL') child.kill('SIGCONT');
    child.kill(signal);
    await exit;
  }

  /** The same server again, with what it stored. */
  async restart(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.stop(signal);
    await this.#start();
  }

  /** Another server in its place, which has stored nothing. */
  async restartEmpty(): Promise<void> {
    await this.stop('SIGKILL');
    await rm(this.#store, { recursive: true, force: true });
    await this.#start();
  }

  /** Connections stay open, and nobody answers on them. */
  pause(): void {
    this.#child?.kill('SIGSTOP');
  }

  resume(): void {
    this.#child?.kill('SIGCONT');
  }

  get #store(): string {
    return join(this.folder, 'store');
  }

  async #start(): Promise<void> {
    this.#output = '';
    const child = spawn('nats-server', ['--config', join(this.folder, 'nats.conf')], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, PATH },
    });
    this.#child = child;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text;
    });
    let failure = '';
    child.on('error', (error) => {
      failure = `${error.message}; scripts/system-packages.sh installs it`;
    });
    await until('the NATS server is ready', () => {
      if (failure !== '') throw new Error(`nats-server could not be started: ${failure}`);
      if (child.exitCode !== null) throw new Error(`nats-server ended at once:\n${this.#output}`);
      return this.#output.includes('Server is ready');
    });
  }
}
