/**
 * A real Postgres server for tests, on a free port, with its data in a temporary folder: it can be stopped,
 * killed and started again. Nothing is written to disk for good (no fsync).
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import pg from 'pg';
import { freePort } from './process.ts';

/** Longer than a loaded machine needs. */
const START_MS_MAX = 20_000;

export const POSTGRES_PASSWORD = 'not-to-be-seen-anywhere';

/** Where Debian, Fedora and Homebrew keep the server, which need not be on the path. */
const FOLDERS = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql*/bin',
  '/usr/local/opt/postgresql*/bin',
];

export class TestPostgres implements AsyncDisposable {
  readonly port: number;
  readonly #programs: string;
  readonly #folder: string;
  #server: ChildProcess | null = null;
  #output = '';

  private constructor(programs: string, folder: string, port: number) {
    this.#programs = programs;
    this.#folder = folder;
    this.port = port;
  }

  /** Starts a server. Throws an Error that says what to install when there is none. */
  static async start(): Promise<TestPostgres> {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-pg-'));
    const postgres = new TestPostgres(findPrograms(), folder, await freePort());
    process.once('exit', postgres.#removeAll);
    postgres.#initialise();
    await postgres.resume();
    return postgres;
  }

  /** The URL of a database on this server. */
  url(database = 'postgres'): string {
    return `postgres://postgres:${POSTGRES_PASSWORD}@127.0.0.1:${this.port}/${database}`;
  }

  /** The URL of a new, empty database. */
  async createDatabase(): Promise<string> {
    const name = `test_${randomUUID().replaceAll('-', '')}`;
    const client = new pg.Client(this.url());
    await client.connect();
    await client.query(`CREATE DATABASE ${name}`);
    await client.end();
    return this.url(name);
  }

  /** Starts the server again, after `stop` or `kill`, on the same port; resolves when it takes connections. */
  async resume(): Promise<void> {
    this.#output = '';
    const args = ['-D', join(this.#folder, 'data'), '-k', this.#folder, '-p', String(this.port)];
    const settings = ['listen_addresses=127.0.0.1', 'fsync=off', 'max_connections=50', 'shared_buffers=16MB'];
    const server = spawn(
      join(this.#programs, 'postgres'),
      [...args, ...settings.flatMap((setting) => ['-c', setting])],
      { ...asServerUser(), cwd: this.#folder, stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      const fail = () => reject(new Error(`Postgres did not start:\n${this.#output}`));
      const timeout = setTimeout(fail, START_MS_MAX);
      server.once('exit', fail);
      server.once('error', reject);
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        if (!this.#output.includes('ready to accept connections')) return;
        clearTimeout(timeout);
        server.off('exit', fail);
        resolve();
      });
    });
  }

  /** Shuts the server down in order, ending every connection. */
  async stop(): Promise<void> {
    await this.#end('SIGINT');
  }

  /** Ends the server without any order, as if its machine had lost power; `resume` recovers it. */
  async kill(): Promise<void> {
    await this.#end('SIGQUIT');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null || server.exitCode !== null) return;
    const exit = once(server, 'exit');
    server.kill(signal);
    await exit;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    process.off('exit', this.#removeAll);
    this.#removeAll();
  }

  #initialise(): void {
    const owner = asServerUser();
    const passwordFile = join(this.#folder, 'password');
    writeFileSync(passwordFile, POSTGRES_PASSWORD);
    if (owner.uid !== undefined && owner.gid !== undefined) {
      for (const path of [this.#folder, passwordFile]) chownSync(path, owner.uid, owner.gid);
    }
    const args = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--no-sync'];
    execFileSync(
      join(this.#programs, 'initdb'),
      ['-D', join(this.#folder, 'data'), '--encoding=UTF8', '--no-locale', ...args],
      { ...owner, cwd: this.#folder, stdio: 'pipe' },
    );
  }

  readonly #removeAll = (): void => {
    this.#server?.kill('SIGQUIT');
    rmSync(this.#folder, { recursive: true, force: true });
  };
}

/** Postgres refuses to run as root: then it runs as the user that its package made. */
function asServerUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const id = (option: string) => Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** The folder with `postgres` and `initdb`, of the newest version there is. */
function findPrograms(): string {
  const onPath = (process.env['PATH'] ?? '').split(delimiter);
  const installed = FOLDERS.flatMap((pattern) => globSync(pattern)).toSorted((a, b) =>
    b.localeCompare(a, 'en', { numeric: true }),
  );
  const folder = [...installed, ...onPath].find((candidate) => existsSync(join(candidate, 'initdb')));
  if (folder === undefined) {
    throw new Error('these tests need a Postgres server: install it (on Debian: apt-get install postgresql)');
  }
  return folder;
}
