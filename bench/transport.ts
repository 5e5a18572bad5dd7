// `npm run bench:transport`: processor time that a proxied request costs, by what speaks HTTP to the upstream.
// One instance each, one worker, an upstream and clients of raw sockets in this process; rounds alternate, so
// that whatever else the machine does falls on both. Linux only.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BodyReader } from '#http/h1/body-reader.ts';
import { readControlFields } from '#http/h1/control-fields.ts';
import { responseFraming } from '#http/h1/framing.ts';
import { HeadParser } from '#http/h1/head-parser.ts';
import { StatusLine } from '#http/h1/start-lines.ts';
import { BIN, freePort, until } from '#test/support/process.ts';

const TRANSPORTS = ['undici', 'h1'] as const;
const ROUNDS = 7;
const CONNECTIONS = 64;
const REQUESTS_PER_ROUND = 20_000;
/** Of `/proc/<pid>/stat`: USER_HZ, which is 100 on every Linux that Node runs on. */
const TICK_US = 10_000;

/** What is asked for, and what an upstream says to it. */
const CASES = {
  'GET, 1 KiB': { ask: 'GET / HTTP/1.1\r\nHost: bench\r\nAccept: */*\r\n\r\n', answer: 'x'.repeat(1024) },
  'GET, 100 KiB': { ask: 'GET /large HTTP/1.1\r\nHost: bench\r\n\r\n', answer: 'x'.repeat(102_400) },
  'POST, 1 KiB': {
    ask: `POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: 1024\r\n\r\n${'x'.repeat(1024)}`,
    answer: 'x'.repeat(64),
  },
} as const;
type Case = keyof typeof CASES;

type Instance = { readonly port: number; readonly process: ChildProcess };

const LIMITS = { bytesMax: 65_536, fieldsMax: 100 };

/** Calls `told` after each answer on a connection. */
class Answers {
  readonly #told: () => void;
  readonly #line = new StatusLine();
  readonly #parser = new HeadParser(this.#line, LIMITS);
  readonly #body = new BodyReader();
  #isWithinBody = false;

  constructor(told: () => void) {
    this.#told = told;
  }

  read(bytes: Buffer): void {
    const at = this.#isWithinBody ? 0 : this.#readHead(bytes);
    if (!this.#isWithinBody) return;
    let step = this.#body.step(bytes, at);
    while (step === 'data') step = this.#body.step(bytes, this.#body.at);
    if (step !== 'complete') return;
    this.#isWithinBody = false;
    this.#told();
  }

  #readHead(bytes: Buffer): number {
    const end = this.#parser.parse(bytes, 0);
    if (end < 0) return end;
    const { status, minor } = this.#line;
    const framing = responseFraming(readControlFields(this.#parser.fields), minor, 'GET', status);
    if (typeof framing === 'string' || status !== 200) throw new Error(`an answer of ${status}`);
    this.#body.begin(framing);
    this.#isWithinBody = true;
    return end;
  }
}

let now: Case = 'GET, 1 KiB';
const upstream = createServer((socket) => {
  let unasked = 0;
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    // Signalbox adds fields, so that no request has the length of what was asked: its end is what counts.
    if (now.startsWith('POST') && !chunk.includes('\r\n\r\nx') && unasked++ === 0) return;
    unasked = 0;
    const { answer } = CASES[now];
    socket.write(
      `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`,
    );
  });
});
upstream.listen(0, '127.0.0.1');
await once(upstream, 'listening');
const upstreamPort = (upstream.address() as { port: number }).port;

const folder = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
const instances = new Map<string, Instance>();
try {
  for (const transport of TRANSPORTS) instances.set(transport, await start(transport));
  for (const name of Object.keys(CASES) as Case[]) await compare(name);
} finally {
  for (const instance of instances.values()) instance.process.kill('SIGTERM');
  upstream.close();
  await rm(folder, { recursive: true, force: true });
}

async function start(transport: string): Promise<Instance> {
  const [port, adminPort] = [await freePort(), await freePort()];
  const config = {
    server: { listen_address: '127.0.0.1', listen_port: port, workers: 1 },
    admin: { listen: `127.0.0.1:${adminPort}` },
    load_balancing: { upstreams: [{ name: 'one', address: '127.0.0.1', port: upstreamPort }] },
    upstream_connections: { transport },
    log: { level: 'error' },
  };
  const file = join(folder, `${transport}.yaml`);
  await writeFile(file, JSON.stringify(config));
  const instance = spawn(BIN, ['start', '--config', file], {
    stdio: 'inherit',
    env: { ...process.env, SIGNALBOX_DATA_DIR: join(folder, transport) },
  });
  await until('the instance is ready', async () => {
    const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => null);
    return ready?.status === 200;
  });
  return { port, process: instance };
}

async function compare(name: Case): Promise<void> {
  now = name;
  const costs = new Map<string, number[]>();
  for (let round = -1; round < ROUNDS; round++) {
    for (const [transport, { port, process }] of instances) {
      const before = processorUs(process);
      await ask(port, CASES[name].ask);
      const cost = (processorUs(process) - before) / REQUESTS_PER_ROUND;
      // The first one warms up.
      if (round >= 0) costs.set(transport, [...(costs.get(transport) ?? []), cost]);
    }
  }
  const medians = [...costs].map(([transport, all]) => {
    const sorted = all.toSorted((a, b) => a - b);
    const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    return `${transport} ${median.toFixed(1)} (${sorted[0]?.toFixed(1)} to ${sorted.at(-1)?.toFixed(1)})`;
  });
  console.log(`${name.padEnd(14)} µs a request: ${medians.join('   ')}`);
}

/** User and system time of all of its threads so far. */
function processorUs({ pid }: ChildProcess): number {
  const [, rest = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
  const fields = rest.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_US;
}

/** As many requests as a round has, over all connections. */
async function ask(port: number, request: string): Promise<void> {
  let left = REQUESTS_PER_ROUND;
  const client = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1');
      const next = () => {
        if (left-- > 0) socket.write(request);
        else socket.end(resolve);
      };
      const answers = new Answers(next);
      socket
        .on('error', reject)
        .on('connect', next)
        .on('data', (bytes: Buffer) => answers.read(bytes));
    });
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
}
