// `npm run bench:slow-clients`: what 10 000 idle clients and 800 slow ones do to others. An instance with its default
// bounds and two workers answers `/health` and a proxied GET, first alone and then among them. Slow clients that are
// ended come back at once.
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { ask, type Sample, tally } from '#test/support/load.ts';
import { freePort, startInstance } from '#test/support/process.ts';
import { SlowClients, type SlowKind } from '#test/support/slow-clients.ts';

const IDLE = 10_000;
const SLOW: readonly (readonly [SlowKind, number])[] = [
  ['head', 267],
  ['body', 267],
  ['read', 266],
];
const ROUND_MS = 20_000;
const PAUSE_MS = 20;
const DRIP_MS = 1000;
const LARGE = Buffer.alloc(16 * 1024 * 1024);

await using parts = new AsyncDisposableStack();
const upstreamPort = await freePort();
const upstream = createServer((request, response) => {
  request.resume();
  response.end(request.url === '/large' ? LARGE : 'hello');
}).listen(upstreamPort, '127.0.0.1');
parts.defer(() => {
  upstream.close();
  upstream.closeAllConnections();
});
const cleanup = { after: (end: () => void) => parts.defer(end) };
const instance = await startInstance(cleanup, [{ name: 'one', port: upstreamPort }], {
  server: { workers: 2 },
  log: { level: 'error' },
});

console.log('                     /health, ms                   proxied GET, ms               resident');
console.log('                     p50      p99      max         p50      p99      max');
await round('alone', 2000);
const crowd = new SlowClients(instance.port, true);
parts.defer(() => crowd.leave());
await crowd.join('idle', IDLE);
for (const [kind, count] of SLOW) await crowd.join(kind, count);
const drips = setInterval(() => crowd.drip(), DRIP_MS);
parts.defer(() => clearInterval(drips));
await round(`among ${crowd.count}`, ROUND_MS);
console.log(`\nended by their deadlines: ${JSON.stringify(crowd.ended)}`);

async function round(name: string, ms: number): Promise<void> {
  const samples: Readonly<Record<string, Sample[]>> = { '/health': [], '/': [] };
  for (const endMs = performance.now() + ms; performance.now() < endMs; await delay(PAUSE_MS)) {
    // Each on a connection of its own, which has to be accepted first.
    for (const [path, asked] of Object.entries(samples)) asked.push(await ask(instance.url, { path }));
  }
  const columns = Object.values(samples).flatMap((asked) =>
    [0.5, 0.99, 1].map((share, index) =>
      quantile(asked, share)
        .toFixed(1)
        .padStart(index === 0 ? 12 : 9),
    ),
  );
  const resident = `${((await instance.memory()) / 1024 / 1024).toFixed(0)} MiB`;
  const statuses = tally(Object.values(samples).flatMap((asked) => asked.map(({ status }) => status)));
  console.log(name.padEnd(12) + columns.join('') + resident.padStart(15), JSON.stringify(statuses));
}

function quantile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
