/** Programs that are measured: started on a core of their own, watched through /proc, ended with the run. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';

/** Of the kernel's clock in /proc/PID/stat: 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const START_MS_MAX = 20_000;

/** The proxy has a core for itself; who asks and who answers share the other one. */
export const PROXY_CORE = '0';
export const OTHER_CORE = '1';

export class Program implements AsyncDisposable {
  readonly #child: ChildProcess;
  #output = '';

  constructor(core: string, command: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn('taskset', ['-c', core, ...command], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-4096);
      });
    }
  }

  /** CPU time of the whole process tree, microseconds. */
  cpuUs(): number {
    return this.#tree().reduce((sum, pid) => sum + cpuTicks(pid), 0) * (1e6 / TICKS_PER_SECOND);
  }

  /** Resident memory of the whole process tree, bytes. */
  memoryBytes(): number {
    return this.#tree().reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  /** Resolves when something answers on the port; rejects with what the program said instead. */
  async listening(port: number): Promise<void> {
    const endMs = performance.now() + START_MS_MAX;
    while (!(await answers(port))) {
      if (this.#child.exitCode !== null || performance.now() > endMs) {
        throw new Error(`nothing listens on ${port}: ${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const tree = this.#tree();
    const exited = once(this.#child, 'exit');
    for (const pid of tree) kill(pid);
    await exited;
  }

  #tree(): number[] {
    const { pid } = this.#child;
    if (pid === undefined) return [];
    const parents = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
    const children = Map.groupBy(parents, parentOf);
    const tree = [pid];
    for (const member of tree) tree.push(...(children.get(member) ?? []));
    return tree;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Of whoever takes a connection: programs try their ports before they serve, and drop who came meanwhile. */
function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('connect', () => {
      // A port that nobody listens on may be what this connection was given for its own end: then it met itself.
      if (socket.localPort === port) socket.destroy();
      else socket.write('GET / HTTP/1.0\r\n\r\n');
    });
    socket.on('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(false));
  });
}

/** Fields of /proc/PID/stat behind the program's name, which may hold anything; none once it is gone. */
function stat(pid: number): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return [];
  }
}

function parentOf(pid: number): number {
  return Number(stat(pid)[1] ?? 0);
}

function cpuTicks(pid: number): number {
  const fields = stat(pid);
  return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
}

function residentBytes(pid: number): number {
  try {
    return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone by itself.
  }
}
