// `npm run bench:overload`: what a flood that keeps the event loop busy does to others. One worker verifies forged
// tokens for many clients while some ask for a page and one reads a stream; first with shedding, then without.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseExposition, total } from '#test/support/exposition.ts';
import { load, type Sample, tally } from '#test/support/load.ts';
import { BIN, freePort, until } from '#test/support/process.ts';
import { part } from '#test/support/tokens.ts';

/** Before the flood: nothing that is measured waits for a connection. */
const CALM_MS = 1_000;
const ROUND_MS = 10_000;
const FLOOD_CONNECTIONS = 1_000;
const CLIENTS = 8;
/** Between a client's requests. */
const PAUSE_MS = 20;
const TICK_MS = 50;
const LAG_MS = 100;

const ISSUER = 'https://login.example.com';
/** Takes a millisecond or two to verify with, and is no key: nobody can sign for it. */
const MODULUS = randomBytes(1024);
MODULUS[0] = 0xff;
MODULUS[1023] = 0xff;
const KEYS = JSON.stringify({
  keys: [{ kty: 'RSA', kid: 'one', n: MODULUS.toString('base64url'), e: '_____w' }],
});

const answer: RequestListener = (request, response) => {
  if (request.url === '/keys') response.end(KEYS);
  else if (request.url !== '/open/stream') {
    response.end('hello');
  } else {
    const ticks = setInterval(() => response.write('tick\n'), TICK_MS);
    response.on('close', () => clearInterval(ticks));
  }
};
const upstream = createServer(answer);
const upstreamPort = await freePort();
upstream.listen(upstreamPort, '127.0.0.1');
console.log(`${FLOOD_CONNECTIONS} connections with forged tokens, ${CLIENTS} clients, one stream`);
console.log('lag_ms     served  refused     p50      p99   longest gap of the stream  flood, req/s     shed');
for (const lagMs of [LAG_MS, 0]) await round(lagMs);
upstream.close();
upstream.closeAllConnections();

async function round(lagMs: number): Promise<void> {
  const instance = await start(lagMs);
  const others = measured(instance.url, CALM_MS + ROUND_MS);
  await delay(CALM_MS);
  const flooded = await startFlood(instance.url);
  const { samples, gapMs } = await others;
  const exposition = await (await fetch(`${instance.admin}/metrics`)).text();
  const shed = total(parseExposition(exposition), 'signalbox_shed_total');
  const served = samples.filter(({ status }) => status === 200);
  const columns = [
    `${lagMs}`.padStart(6),
    `${served.length}`.padStart(11),
    `${tally(samples.map(({ status }) => status))[503] ?? 0}`.padStart(9),
    `${quantile(served, 0.5).toFixed(0)} ms`.padStart(8),
    `${quantile(served, 0.99).toFixed(0)} ms`.padStart(9),
    `${gapMs.toFixed(0)} ms`.padStart(28),
    flooded.padStart(14),
    `${shed}`.padStart(9),
  ];
  console.log(columns.join(''));
  await instance.stop();
}

async function start(lagMs: number) {
  const [port, adminPort] = [await freePort(), await freePort()];
  const folder = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
  const config = {
    server: { listen_address: '127.0.0.1', listen_port: port, workers: 1, overload: { lag_ms: lagMs } },
    admin: { listen: `127.0.0.1:${adminPort}` },
    load_balancing: { upstreams: [{ name: 'one', address: '127.0.0.1', port: upstreamPort }] },
    middleware: { auth: { auth_type: 'jwt' } },
    jwt: {
      issuers: [{ issuer: ISSUER, audience: 'api', jwks_uri: `http://127.0.0.1:${upstreamPort}/keys` }],
    },
    routes: [{ name: 'closed' }, { name: 'open', path_prefix: '/open', auth: false }],
    log: { level: 'error' },
  };
  await writeFile(join(folder, 'proxy.yaml'), JSON.stringify(config));
  const child = spawn(BIN, ['start', '--config', join(folder, 'proxy.yaml')], {
    stdio: 'inherit',
    env: { ...process.env, SIGNALBOX_DATA_DIR: folder },
  });
  const admin = `http://127.0.0.1:${adminPort}`;
  await until('the instance is ready', async () => {
    const ready = await fetch(`${admin}/readyz`).catch(() => null);
    return ready?.status === 200;
  });
  const stop = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
    await rm(folder, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${port}`, admin, stop };
}

/** A token whose signature has to be looked at to see that it is wrong. */
function forgedToken(): string {
  const seconds = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: 'api', sub: 'ann', iat: seconds, exp: seconds + 3600 };
  const signature = Buffer.alloc(1024, 1).toString('base64url');
  return `${part({ alg: 'RS256', kid: 'one' })}.${part(claims)}.${signature}`;
}

/** Resolves, when it is over, with the requests per second that it was answered. */
async function startFlood(url: string): Promise<string> {
  const options = ['-t1', `-c${FLOOD_CONNECTIONS}`, `-d${ROUND_MS / 1000}s`, '--timeout', '10s'];
  const wrk = spawn('wrk', [...options, '-H', `Authorization: Bearer ${forgedToken()}`, url], {
    stdio: 'pipe',
  });
  let text = '';
  wrk.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(wrk, 'close');
  return /Requests\/sec: +([\d.]+)/.exec(text)?.[1] ?? text;
}

/** What clients see that behave, and how long the stream was silent at most. */
async function measured(url: string, forMs: number): Promise<{ samples: Sample[]; gapMs: number }> {
  const request = get(`${url}/open/stream`);
  const [stream] = (await once(request, 'response')) as [IncomingMessage];
  let [gapMs, lastMs] = [0, performance.now()];
  stream.on('error', () => {});
  stream.on('data', () => {
    const nowMs = performance.now();
    gapMs = Math.max(gapMs, nowMs - lastMs);
    lastMs = nowMs;
  });
  const endMs = performance.now() + forMs;
  const asked = () => ({ path: '/open', wait: delay(PAUSE_MS) });
  const samples = await load(url, CLIENTS, () => performance.now() >= endMs, asked);
  request.destroy();
  return { samples, gapMs };
}

/** Milliseconds. */
function quantile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
