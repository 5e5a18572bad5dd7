// `npm run bench:login-flood`: what a flood of logins does to proxied requests. An instance with two workers
// serves tokens to some clients, first alone and then while many others guess passwords.
import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { load, type Sample, tally } from '#test/support/load.ts';
import { BIN, freePort, until } from '#test/support/process.ts';

const ROUND_MS = 8_000;
const PROXIED_CONNECTIONS = 8;
/** Between a client's requests: a load that the machine has no trouble with. */
const PAUSE_MS = 10;
const LOGIN_CONNECTIONS = 100;
const USER = { email: 'user@example.com', password: 'SecurePass123!' };
const JSON_TYPE = { 'Content-Type': 'application/json' };

const upstream = createServer((_, response) => response.end('hello'));
const upstreamPort = await freePort();
upstream.listen(upstreamPort, '127.0.0.1');
const [port, adminPort] = [await freePort(), await freePort()];
const url = `http://127.0.0.1:${port}`;
const folder = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
const config = {
  server: { listen_address: '127.0.0.1', listen_port: port, workers: 2 },
  admin: { listen: `127.0.0.1:${adminPort}` },
  load_balancing: { upstreams: [{ name: 'one', address: '127.0.0.1', port: upstreamPort }] },
  middleware: { auth: { auth_type: 'jwt' } },
  // So that every login is hashed: it is hashing that is measured here.
  accounts: { throttle: { attempts: 100_000, attempts_per_ip: 100_000 } },
  log: { level: 'error' },
};
await writeFile(join(folder, 'proxy.yaml'), JSON.stringify(config));
const instance = spawn(BIN, ['start', '--config', join(folder, 'proxy.yaml')], {
  stdio: 'inherit',
  env: { ...process.env, SIGNALBOX_DATA_DIR: folder },
});
await until('the instance is ready', async () => {
  const ready = await fetch(`http://127.0.0.1:${adminPort}/readyz`).catch(() => null);
  return ready?.status === 200;
});
const registered = await fetch(`${url}/auth/register`, {
  method: 'POST',
  headers: JSON_TYPE,
  body: JSON.stringify(USER),
});
const { access_token } = (await registered.json()) as { access_token: string };

await proxied();
const calm = await proxied();
let isOver = false;
const flood = load(url, LOGIN_CONNECTIONS, () => isOver, login);
const flooded = await proxied();
isOver = true;
const logins = await flood;

report('calm', calm);
report('flooded', flooded);
const added = quantile(flooded, 0.99) - quantile(calm, 0.99);
console.log(`\np99 of proxied requests: ${added.toFixed(1)} ms more under the flood`);
console.log(
  `logins: ${JSON.stringify(tally(logins.map(({ status }) => status)))}, ${LOGIN_CONNECTIONS} at once`,
);

instance.kill('SIGTERM');
upstream.close();
upstream.closeAllConnections();
await rm(folder, { recursive: true, force: true });

function proxied(): Promise<Sample[]> {
  const endMs = performance.now() + ROUND_MS;
  const headers = { Authorization: `Bearer ${access_token}` };
  const pause = () => ({ headers, wait: delay(PAUSE_MS) });
  return load(url, PROXIED_CONNECTIONS, () => performance.now() >= endMs, pause);
}

function login() {
  const body = JSON.stringify({ ...USER, password: 'WrongPass123!' });
  const headers = { ...JSON_TYPE, 'Content-Length': String(body.length) };
  // Refused clients that come again at once would measure how quickly this script can ask.
  return { method: 'POST', path: '/auth/login', headers, body, wait: delay(100) };
}

/** Milliseconds; a sample's time begins when it is sent. */
function quantile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function report(name: string, samples: readonly Sample[]): void {
  const [p50, p99] = [quantile(samples, 0.5), quantile(samples, 0.99)];
  const statuses = JSON.stringify(tally(samples.map(({ status }) => status)));
  console.log(`${name.padEnd(8)} p50 ${p50.toFixed(1)} ms  p99 ${p99.toFixed(1)} ms  ${statuses}`);
}
