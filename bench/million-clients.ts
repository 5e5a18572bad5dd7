// `npm run bench:clients`: a million connections, each of another client, and what memory the instance has meanwhile.
// The clients are made up with X-Forwarded-For, which the instance believes; each counts against a limit of its own.
// Arguments: how many, and how many at once.
import { connect } from 'node:net';
import { type Cleanup, startInstance } from '#test/support/process.ts';
import { startUpstreams } from '#test/support/upstream.ts';

const [clients = 1_000_000, atOnce = 64] = process.argv.slice(2).map(Number);

/** Over all of them. */
const SAMPLES = 20;
/** Between a quarter of the way, when tables that fill up are full, and the end. */
const GROWTH_MAX = 1.05;
const SLACK_BYTES = 16 * 1024 * 1024;
/** For one answer. */
const ANSWER_MS_MAX = 30_000;

await using ending = new AsyncDisposableStack();
const t: Cleanup = {
  after: (end) => void ending.defer(() => Promise.resolve((end as () => unknown)()).then(() => {})),
};
const instance = await startInstance(t, await startUpstreams(t, ['red']), {
  // Nobody is to be turned away because this machine has other work.
  server: { workers: 2, trusted_proxies: ['127.0.0.0/8'], overload: { lag_ms: 0 } },
  middleware: { rate_limit: { requests_per_minute: 60, burst_size: 5, key: 'client_ip' } },
});

const statuses: Record<string, number> = {};
const samples: number[] = [await instance.memory()];
const startMs = performance.now();
let begun = 0;
await Promise.all(Array.from({ length: atOnce }, client));
const seconds = Math.round((performance.now() - startMs) / 1000);

const megabytes = samples.map((bytes) => Math.round(bytes / 1e6));
console.log(`${clients} connections of as many clients in ${seconds} s; answers by status:`, statuses);
console.log(`resident memory, MB, from the start to the end: ${megabytes.join(' ')}`);
const quarter = samples[Math.ceil(samples.length / 4)] ?? 0;
const last = samples.at(-1) ?? 0;
const isFlat = last <= quarter * GROWTH_MAX + SLACK_BYTES;
console.log(isFlat ? 'flat' : 'not flat');
process.exitCode = isFlat && statuses['200'] === clients ? 0 : 1;

async function client(): Promise<void> {
  for (let nth = begun++; nth < clients; nth = begun++) {
    const status = await ask(nth);
    statuses[status] = (statuses[status] ?? 0) + 1;
    if ((nth + 1) % Math.ceil(clients / SAMPLES) === 0) samples.push(await instance.memory());
  }
}

/** One request on a connection of its own. The client's address tells it from all others, and so does its own port. */
function ask(nth: number): Promise<string> {
  const address = `10.${(nth >> 16) & 255}.${(nth >> 8) & 255}.${nth & 255}`;
  // Each address of this machine has ports of its own, which are not free again for a minute.
  const localAddress = `127.0.0.${1 + (nth % 250)}`;
  return new Promise((resolve) => {
    const socket = connect({ port: instance.port, host: '127.0.0.1', localAddress });
    let received = '';
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(received.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length) || 'none'));
    socket.write(
      `GET / HTTP/1.1\r\nHost: clients\r\nX-Forwarded-For: ${address}\r\nConnection: close\r\n\r\n`,
    );
  });
}
