/** What goes wrong during a soak, one thing after the other. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Cleanup, freePort, type Instance, until } from '../process.ts';

const SCRIPT = fileURLToPath(new URL('./upstream.ts', import.meta.url));

const DOWN_MS = 500;
const STOPPED_MS = 700;
const REST_MS = 500;

/** An upstream as a process, which can be killed and comes back on its port. */
export class SoakUpstream {
  readonly name: string;
  readonly port: number;
  readonly #file: string;
  #child: ChildProcess;

  static async start(t: Cleanup, name: string, file: string): Promise<SoakUpstream> {
    const upstream = new SoakUpstream(name, await freePort(), file);
    t.after(() => upstream.#child.kill('SIGKILL'));
    await upstream.#listens();
    return upstream;
  }

  private constructor(name: string, port: number, file: string) {
    this.name = name;
    this.port = port;
    this.#file = file;
    this.#child = this.#spawn();
  }

  async crash(): Promise<void> {
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
    await delay(DOWN_MS);
    this.#child = this.#spawn();
    await this.#listens();
  }

  async stall(): Promise<void> {
    this.#child.kill('SIGSTOP');
    await delay(STOPPED_MS);
    this.#child.kill('SIGCONT');
  }

  #spawn(): ChildProcess {
    return spawn(process.execPath, [SCRIPT, String(this.port), this.#file], { stdio: 'inherit' });
  }

  #listens(): Promise<void> {
    return until(`${this.name} listens`, async () => {
      const socket = connect(this.port, '127.0.0.1').on('error', () => {});
      await once(socket, 'close', { signal: AbortSignal.timeout(50) }).catch(() => {});
      const { connecting, destroyed } = socket;
      socket.destroy();
      return !connecting && !destroyed;
    });
  }
}

export type FaultCounts = Record<string, number>;

/** Does one thing after the other until `isOver`; resolves with how often each was done. */
export async function makeFaults(
  instance: Instance,
  upstreams: readonly SoakUpstream[],
  isOver: () => boolean,
): Promise<FaultCounts> {
  const counts: FaultCounts = {};
  const any = () => upstreams[Math.floor(Math.random() * upstreams.length)];
  const faults: readonly (readonly [name: string, make: () => Promise<unknown> | undefined])[] = [
    ['upstream killed', () => any()?.crash()],
    ['upstream stopped', () => any()?.stall()],
    ['reload', () => reload(instance)],
    ['worker crashed', () => crash(instance)],
    ['bad file refused', () => reloadBadly(instance)],
  ];
  for (let nth = 0; !isOver(); nth++) {
    const [name, make] = faults[nth % faults.length] ?? ['', () => undefined];
    await make();
    counts[name] = (counts[name] ?? 0) + 1;
    await delay(REST_MS);
  }
  return counts;
}

/** Another answer at /health, and a route that comes and goes. */
async function reload({ file, admin }: Instance): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8')) as { routes: { name: string }[]; health?: object };
  const routes = config.routes.filter(({ name }) => name !== 'extra');
  if (routes.length === config.routes.length) routes.unshift({ name: 'extra', ...{ path_prefix: '/extra' } });
  await writeFile(file, JSON.stringify({ ...config, routes, health: { body: `${performance.now()}` } }));
  const { status } = await fetch(`${admin}/api/reload`, { method: 'POST' });
  if (status !== 200) throw new Error(`a reload was answered ${status}`);
}

async function reloadBadly({ file, admin }: Instance): Promise<void> {
  const before = await readFile(file, 'utf8');
  await writeFile(file, '{"nonsense": 1}');
  const { status } = await fetch(`${admin}/api/reload`, { method: 'POST' });
  await writeFile(file, before);
  if (status !== 422) throw new Error(`a reload of nonsense was answered ${status}`);
}

async function crash(instance: Instance): Promise<void> {
  const replaced = () => instance.output.split('"worker replaced"').length;
  const before = replaced();
  const socket = connect(instance.port, '127.0.0.1').on('error', () => {});
  socket.end('GET /crash HTTP/1.1\r\nHost: soak\r\n\r\n');
  await once(socket, 'close');
  await until('the worker is replaced', () => replaced() > before, 20_000);
}
