// `npm run bench:costly-requests`: what requests of 10 KiB cost that are made to cost much: CPU time of the instance for
// each, against one that is plain, and memory while an upstream has it and does not answer. Fails if one of them holds
// 1 MiB or costs a hundred times as much as the plain one.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';

import { freePort, type Instance, startInstance, until } from '#test/support/process.ts';

const BYTES = 10 * 1024;
const HELD_MAX = 1024 * 1024;
const CPU_RATIO_MAX = 100;
const CONNECTIONS = 8;
const WARM_UP = 500;
const ROUND = 4000;
const HELD = 200;
/** Of the kernel's CPU times. */
const TICK_MS = 10;

/** A request to a path, in the pieces that it is sent in. */
type Kind = (path: string) => readonly string[];

const CHUNKED = 'Transfer-Encoding: chunked';
const END = '0\r\n\r\n';

const KINDS: Readonly<Record<string, Kind>> = {
  plain: (path) => [`${post(path, `Content-Length: ${BYTES}`)}${'x'.repeat(BYTES)}`],
  'one long header': (path) => [get(path, `X: ${'x'.repeat(BYTES)}`)],
  'many headers': (path) => [get(path, ...named(250, (name) => `${name}: ${'x'.repeat(30)}`))],
  'one header many times': (path) => [get(path, ...named(250, () => `Accept: ${'x'.repeat(30)}`))],
  'many cookies': (path) => [get(path, `Cookie: ${'a=b; '.repeat(BYTES / 5)}`)],
  'many options of the connection': (path) => [get(path, `Connection: keep-alive${',x'.repeat(BYTES / 2)}`)],
  'many options that are headers': (path) => [
    get(
      path,
      `Connection: ${named(240, (name) => name)}`,
      ...named(240, (name) => `${name}: ${'x'.repeat(25)}`),
    ),
  ],
  'many proxies': (path) => [get(path, `Via: x${',1.1 x'.repeat(BYTES / 6)}`)],
  'many hops': (path) => [get(path, `X-Forwarded-For: 127.0.0.1${',127.0.0.1'.repeat(BYTES / 10)}`)],
  'a deep path': (path) => [get(`${path}${'/a'.repeat(4000)}`)],
  'a path of dot segments': (path) => [get(`${path}${'/a/..'.repeat(1600)}`)],
  'a path of escapes': (path) => [get(`${path}/${'%61'.repeat(2600)}`)],
  'a path of parameters': (path) => [get(`${path}${'/;'.repeat(4000)}`)],
  'a long query': (path) => [get(`${path}?${'a=b&'.repeat(2000)}`)],
  'tiny chunks': (path) => [post(path, CHUNKED) + '1\r\nx\r\n'.repeat(BYTES / 6) + END],
  'chunk extensions': (path) => [post(path, CHUNKED) + `1;${'x'.repeat(1000)}\r\nx\r\n`.repeat(10) + END],
  'many trailers': (path) => [`${post(path, CHUNKED)}0\r\n${'x-y: 0123456789\r\n'.repeat(120)}\r\n`],
  'a head in 500 pieces': (path) => get(path, `X: ${'x'.repeat(BYTES)}`).match(/.{1,21}/gs) ?? [],
  'a body in 500 pieces': (path) => [
    post(path, `Content-Length: ${500 * 20}`),
    ...Array.from({ length: 500 }, () => 'x'.repeat(20)),
  ],
};

await using parts = new AsyncDisposableStack();
const cleanup = { after: (end: () => void) => parts.defer(end) };
const held: { end(text: string): void }[] = [];
const upstreamPort = await freePort();
const upstream = createServer({ maxHeaderSize: 64 * 1024 }, (request, response) => {
  request.resume();
  if (request.url?.startsWith('/held')) held.push(response);
  else response.end('hello');
}).listen(upstreamPort, '127.0.0.1');
upstream.maxHeadersCount = 0;
parts.defer(() => {
  upstream.close();
  upstream.closeAllConnections();
});

let plainUs = 0;
let isFair = true;
console.log('                                   bytes      CPU   of plain       held');
for (const [name, kind] of Object.entries(KINDS)) {
  const instance = await startInstance(cleanup, [{ name: 'one', port: upstreamPort }], {
    server: { workers: 1, trusted_proxies: ['127.0.0.1'] },
    upstream_connections: { max: 2 * HELD },
    log: { level: 'error' },
  });
  const cpuUs = await cpuOf(instance, kind('/fast'));
  const heldBytes = await heldBy(instance, kind('/held'));
  await instance.stop('SIGKILL');
  if (name === 'plain') plainUs = cpuUs;
  const ratio = cpuUs / plainUs;
  isFair &&= ratio < CPU_RATIO_MAX && heldBytes < HELD_MAX;
  const columns = [
    `${kind('/fast').join('').length}`.padStart(8),
    `${cpuUs.toFixed(0)} us`.padStart(9),
    `${ratio.toFixed(1)}x`.padStart(11),
    `${(heldBytes / 1024).toFixed(0)} KiB`.padStart(11),
  ];
  console.log(name.padEnd(32) + columns.join(''));
}
if (!isFair) process.exitCode = 1;

function get(target: string, ...headers: readonly string[]): string {
  return [`GET ${target} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n');
}

function post(target: string, framing: string): string {
  return `POST ${target} HTTP/1.1\r\nHost: x\r\n${framing}\r\n\r\n`;
}

function named(count: number, make: (name: string) => string): string[] {
  return Array.from({ length: count }, (_, number) => make(`X-${number}`));
}

/** Microseconds for each request, when it was sent often enough. */
async function cpuOf(instance: Instance, pieces: readonly string[]): Promise<number> {
  await sendAll(instance, pieces, WARM_UP);
  const before = await cpuMs(instance);
  await sendAll(instance, pieces, ROUND);
  return (((await cpuMs(instance)) - before) * 1000) / ROUND;
}

async function sendAll(instance: Instance, pieces: readonly string[], count: number): Promise<void> {
  let left = count;
  const client = async () => {
    const socket = connect(instance.port, '127.0.0.1').setNoDelay(true);
    let answered = () => {};
    socket.on('data', () => answered());
    for (; left > 0; left--) {
      const answer = new Promise<void>((resolve) => {
        answered = resolve;
      });
      await send(socket, pieces);
      await answer;
    }
    socket.destroy();
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, client));
}

/** One piece after the other, each in a packet of its own. */
async function send(socket: Socket, pieces: readonly string[]): Promise<void> {
  for (const piece of pieces) {
    socket.write(piece, 'latin1');
    if (pieces.length > 1) await new Promise(setImmediate);
  }
}

/** Memory for each of many requests that the upstream has and does not answer. */
async function heldBy(instance: Instance, pieces: readonly string[]): Promise<number> {
  const before = await instance.memory();
  held.length = 0;
  const sockets = Array.from({ length: HELD }, () => connect(instance.port, '127.0.0.1').setNoDelay(true));
  await Promise.all(sockets.map((socket) => send(socket, pieces)));
  await until('the upstream has all of them', () => held.length === HELD);
  const bytes = ((await instance.memory()) - before) / HELD;
  for (const socket of sockets) socket.destroy();
  return Math.max(0, bytes);
}

async function cpuMs({ child }: Instance): Promise<number> {
  const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
  // User and system time, counted from behind the name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
