// `npm run bench:restarts`: an instance is taken over by the next one, again and again, under steady load. How many
// requests were refused or cut. Arguments: restarts, requests a second, share of them on connections of their own.
import { readFileSync } from 'node:fs';
import { type Cleanup, startInstance } from '#test/support/process.ts';
import { SteadyLoad } from '#test/support/steady-load.ts';
import { startBeside } from '#test/support/takeover.ts';
import { startUpstreams } from '#test/support/upstream.ts';

const [restarts = 50, rate = 2_000, fresh = 0.1] = process.argv.slice(2).map(Number);

/** Nobody is to be turned away because this machine has other work. */
const SERVER = { workers: 2, overload: { lag_ms: 0 } };

/** Each is used again well before it might be closed as idle. */
const CONNECTIONS = 128;

await using ending = new AsyncDisposableStack();
const t: Cleanup = {
  after: (end) => void ending.defer(() => Promise.resolve((end as () => unknown)()).then(() => {})),
};

let instance = await startInstance(t, await startUpstreams(t, ['red', 'blue']), { server: SERVER });
const load = new SteadyLoad({ port: instance.port, rate, fresh, connections: CONNECTIONS });
const drainMs: number[] = [];
for (let nth = 1; nth <= restarts; nth++) {
  const next = await startBeside(t, instance);
  const startMs = performance.now();
  const code = await instance.stop();
  drainMs.push(performance.now() - startMs);
  if (code !== 0) throw new Error(`restart ${nth}: the instance ended with ${code}:\n${instance.output}`);
  instance = next;
  if (process.stdout.isTTY) process.stdout.write(`\r${nth} of ${restarts} `);
}
const counts = await load.stop();

const at = (values: readonly number[], share: number) =>
  Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length * share)] ?? 0);
console.log(
  `${restarts} restarts at ${rate} requests/s, ${fresh * 100} % of them on connections of their own`,
);
console.log(`net.ipv4.tcp_migrate_req = ${migrates()}`);
console.table(counts);
console.log(
  `answers within ${at(load.times, 0.5)} ms (50 %), ${at(load.times, 0.99)} ms (99 %), ${at(load.times, 0.9999)} ms (99.99 %)`,
);
console.log(
  `an instance ended within ${at(drainMs, 0.5)} ms (50 %), ${Math.round(Math.max(...drainMs))} ms (all)`,
);
for (const trouble of load.troubles) console.log(trouble);
process.exitCode = counts.served === counts.sent ? 0 : 1;

/** Whether the kernel hands connections that wait at a listener that closes to another one. */
function migrates(): string {
  try {
    return readFileSync('/proc/sys/net/ipv4/tcp_migrate_req', 'utf8').trim();
  } catch {
    return 'unknown to this kernel';
  }
}
