/** What is asked of every target, and what one answer is. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { OTHER_CORE, type Program } from './processes.ts';
import type { Target } from './targets.ts';

/** What was measured in one round; a scenario that a target cannot do has no figures. */
export type Figures = Readonly<Record<string, number>>;

export type Bench = {
  readonly target: Target;
  readonly program: Program;
  readonly authorization: string;
  readonly port: number;
  readonly seconds: number;
  /** Requests per second at which latency is compared, below what the slowest target can do. */
  readonly rate: number;
};

export type Scenario = {
  readonly name: string;
  readonly title: string;
  /** Asked of a process of its own, as memory that others had used before would be used again. */
  readonly isApart: boolean;
  readonly run: (bench: Bench) => Promise<Figures | null>;
};

const CONNECTIONS = 64;
const IDLE_CONNECTIONS = 3_000;
/** Until what is left of asking is given back. */
const SETTLE_MS = 2_000;
const SOCKETS = 32;

const LUA = fileURLToPath(new URL('./wrk.lua', import.meta.url));
const VARIED_LUA = fileURLToPath(new URL('./wrk-varied.lua', import.meta.url));
const OPEN_LOOP = fileURLToPath(new URL('./open-loop.ts', import.meta.url));

/** Until the compilers of those that have one are through with what a request runs, on the one core that there is. */
export const SETTLE_SECONDS = 6;

export const SCENARIOS: readonly Scenario[] = [
  // The first: its memory is that of a process that has served nothing else.
  scenario('small', 'GET of 1 KiB', (bench) =>
    withMemory(bench, saturate(bench, '/1k', [], [], SETTLE_SECONDS)),
  ),
  scenario('varied', 'GET of 1 KiB, each of another target', (bench) =>
    saturate(bench, '/', [], ['-s', VARIED_LUA]),
  ),
  scenario('rate', 'GET of 1 KiB at a fixed rate', atRate),
  scenario('medium', 'GET of 64 KiB', (bench) => saturate(bench, '/64k')),
  scenario('large', 'GET of 1 MiB', (bench) => saturate(bench, '/1m')),
  scenario('post', 'POST of 1 KiB', (bench) => saturate(bench, '/post', ['--', 'POST', '1024'])),
  scenario('connections', 'A new connection for each GET of 1 KiB', (bench) =>
    saturate(bench, '/1k', [], ['-H', 'Connection: close']),
  ),
  scenario('websocket', 'WebSocket echo of 64 bytes', echo),
  { ...scenario('idle', 'Idle connections', idle), isApart: true },
];

function scenario(name: string, title: string, run: Scenario['run']): Scenario {
  return { name, title, isApart: false, run };
}

/** As much as goes: wrk on keep-alive connections. */
async function saturate(
  bench: Bench,
  path: string,
  scriptArgs: readonly string[] = [],
  options: readonly string[] = [],
  warmSeconds = 1,
): Promise<Figures> {
  const { port, seconds, authorization } = bench;
  const header = authorization === '' ? [] : ['-H', `Authorization: ${authorization}`];
  const fixed = ['-t', '1', '-c', `${CONNECTIONS}`, '-s', LUA, ...options, ...header];
  const wrk = (duration: number) =>
    tool(['wrk', '-d', `${duration}s`, ...fixed, `http://127.0.0.1:${port}${path}`, ...scriptArgs]);
  await wrk(warmSeconds);
  return withCpu(bench, () => wrk(seconds));
}

async function atRate(bench: Bench): Promise<Figures> {
  const { port, rate, seconds, authorization } = bench;
  const load = (duration: number) =>
    tool([process.execPath, OPEN_LOOP, `${port}`, `${rate}`, `${duration}`, authorization]);
  await load(1);
  return withCpu(bench, () => load(seconds));
}

async function withCpu({ program }: Bench, load: () => Promise<Figures>): Promise<Figures> {
  const beforeUs = program.cpuUs();
  const figures = await load();
  const { requests = 0, seconds } = figures;
  return {
    ...figures,
    ...(seconds === undefined ? {} : { per_second: requests / seconds }),
    cpu_us: (program.cpuUs() - beforeUs) / requests,
  };
}

async function withMemory({ program }: Bench, figures: Promise<Figures>): Promise<Figures> {
  return { ...(await figures), memory_bytes: program.memoryBytes() };
}

/** Memory for each of many connections that have asked once and are silent then. */
async function idle({ port, program, authorization }: Bench): Promise<Figures> {
  const head = authorization === '' ? '' : `Authorization: ${authorization}\r\n`;
  const ask = `GET /1k HTTP/1.1\r\nHost: 127.0.0.1\r\n${head}\r\n`;
  const sockets: Socket[] = [];
  const open = async (count: number) => {
    for (let i = 0; i < count; i++) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
      await answerTo(socket, ask);
    }
  };
  await open(CONNECTIONS);
  // As often as the others ask: what a heap grows by for a request is then there before they come.
  for (let i = 0; i < IDLE_CONNECTIONS; i++) await answerTo(sockets[i % CONNECTIONS] as Socket, ask);
  await delay(SETTLE_MS);
  const beforeBytes = program.memoryBytes();
  await open(IDLE_CONNECTIONS);
  await delay(SETTLE_MS);
  const afterBytes = program.memoryBytes();
  for (const socket of sockets) socket.destroy();
  return { bytes_each: (afterBytes - beforeBytes) / IDLE_CONNECTIONS };
}

/** Resolves with the last of an answer, which has a KiB for its body. */
async function answerTo(socket: Socket, ask: string): Promise<void> {
  const answered = Promise.withResolvers<void>();
  let text = '';
  const read = (chunk: Buffer) => {
    text += chunk.toString('latin1');
    const end = text.indexOf('\r\n\r\n');
    if (end >= 0 && text.length >= end + 4 + 1024) answered.resolve();
  };
  socket.on('data', read).once('close', answered.reject).write(ask);
  await answered.promise;
  socket.off('data', read).off('close', answered.reject);
}

/** Round trips over tunnels, each socket waiting for its echo. The frames are bytes to a proxy, no more. */
async function echo(bench: Bench): Promise<Figures | null> {
  const { port, target, seconds } = bench;
  if (!target.isTunnelling) return null;
  const head = bench.authorization === '' ? '' : `Authorization: ${bench.authorization}\r\n`;
  const upgrade = `GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${head}\r\n`;
  const message = Buffer.alloc(64, 'x');
  let echoes = 0;
  const sockets = await Promise.all(
    Array.from({ length: SOCKETS }, async () => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true);
      socket.on('error', () => {});
      socket.write(upgrade);
      const [answer] = await once(socket, 'data');
      if (!`${answer}`.startsWith('HTTP/1.1 101')) throw new Error(`${target.name}: no tunnel: ${answer}`);
      let missing = message.length;
      socket.on('data', (chunk: Buffer) => {
        missing -= chunk.length;
        if (missing > 0) return;
        missing = message.length;
        echoes++;
        socket.write(message);
      });
      return socket;
    }),
  );
  const figures = await withCpu(bench, async () => {
    for (const socket of sockets) socket.write(message);
    await delay(seconds * 1000);
    return { requests: echoes, seconds };
  });
  for (const socket of sockets) socket.destroy();
  return figures;
}

/** Runs a load generator on the other core; its last line is what it measured. */
async function tool(command: readonly string[]): Promise<Figures> {
  const child = spawn('taskset', ['-c', OTHER_CORE, ...command], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  const line = text.trimEnd().split('\n').at(-1) ?? '';
  if (!line.startsWith('{')) throw new Error(`${command[0]} measured nothing:\n${text}`);
  return JSON.parse(line);
}
