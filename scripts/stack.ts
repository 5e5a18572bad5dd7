// `npm run stack`: a cluster as it is in production, as processes of this machine: NATS, Postgres, three
// upstreams, three instances, Prometheus with the alerts, and a small receiver of traces. Until Ctrl-C.
//
//   node scripts/stack.ts [--check]    with --check: ends by itself, with 0 if everything came together
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startDemoUpstream } from '#cli/demo-upstream.ts';
import { Collector } from '#test/support/collector.ts';
import { NatsServer } from '#test/support/nats.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { BIN, freePort, ROOT, until } from '#test/support/process.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

/** Longer than a loaded machine needs to start any of these. */
const START_MS_MAX = 40_000;
const INSTANCES = ['one', 'two', 'three'] as const;
const UPSTREAMS = ['red', 'blue', 'green'] as const;
const PROMETHEUS_PORT = 9090;

type Instance = { readonly name: string; readonly port: number; readonly admin: number };

const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
const ended = Promise.withResolvers<void>();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => ended.resolve());
process.exitCode = await main();

async function main(): Promise<number> {
  await using parts = new AsyncDisposableStack();
  const after = { after: (end: () => unknown) => parts.defer(async () => void (await end())) };
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-stack-'));
  parts.defer(() => rmSync(folder, { recursive: true, force: true }));

  const postgres = parts.use(await TestPostgres.start());
  const nats = await NatsServer.start(after);
  const collector = await Collector.start(after);
  const upstreams = await Promise.all(UPSTREAMS.map((name) => startUpstream(name, parts)));
  const env = {
    ...process.env,
    ...collector.env,
    OTEL_BSP_SCHEDULE_DELAY: '1000',
    NATS_URL: nats.url,
    DATABASE_URL: await postgres.createDatabase(),
    SIGNALBOX_SECRET: randomBytes(32).toString('hex'),
    SIGNALBOX_DATA_DIR: folder,
  };
  const instances = await Promise.all(INSTANCES.map((name, nth) => placeOf(name, nth)));
  await Promise.all(instances.map((it) => startInstance(it, upstreams, folder, env, parts)));
  const prometheus = await startPrometheus(instances, folder, parts);

  if (options.check) return await check(instances, collector, prometheus);
  console.log(introduction(instances, collector, prometheus));
  await ended.promise;
  return 0;
}

/** Ports that are easy to remember; in a check, whichever are free. */
async function placeOf(name: string, nth: number): Promise<Instance> {
  if (options.check) return { name, port: await freePort(), admin: await freePort() };
  return { name, port: 8081 + nth, admin: 9901 + nth };
}

async function startUpstream(name: string, parts: AsyncDisposableStack) {
  const port = await freePort();
  const server = await startDemoUpstream(sampleUpstream({ name, port }));
  parts.defer(() => server.close().closeAllConnections());
  return { name, address: '127.0.0.1', port };
}

async function startInstance(
  { name, port, admin }: Instance,
  upstreams: readonly object[],
  folder: string,
  env: NodeJS.ProcessEnv,
  parts: AsyncDisposableStack,
): Promise<void> {
  const file = join(folder, `${name}.yaml`);
  const config = {
    server: { listen_address: '127.0.0.1', listen_port: port, workers: 1 },
    admin: { listen: `127.0.0.1:${admin}` },
    cluster: { name: 'stack', instance_id: name },
    load_balancing: { upstreams, health_check: { type: 'http', path: '/' } },
    routes: [
      { name: 'private', path_prefix: '/private', auth: { auth_type: 'jwt' } },
      { name: 'everything' },
    ],
  };
  writeFileSync(file, JSON.stringify(config, null, 2));
  const child = spawn(BIN, ['start', '--config', file], { env, stdio: ['ignore', 'inherit', 'inherit'] });
  parts.defer(() => end(child));
  await until(
    `the instance ${name} is ready`,
    () => isGiven(child, `http://127.0.0.1:${admin}/readyz`),
    START_MS_MAX,
  );
}

/** Prometheus with the alerts that are deployed; returns where it is. */
async function startPrometheus(
  instances: readonly Instance[],
  folder: string,
  parts: AsyncDisposableStack,
): Promise<string> {
  const port = options.check ? await freePort() : PROMETHEUS_PORT;
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [join(folder, 'alerts.yml')],
    scrape_configs: [
      {
        job_name: 'signalbox',
        static_configs: [{ targets: instances.map(({ admin }) => `127.0.0.1:${admin}`) }],
      },
    ],
  };
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  writeFileSync(join(folder, 'alerts.yml'), readFileSync(join(ROOT, 'otel', 'alerts.yml')));
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'prometheus')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    '--log.level=warn',
  ];
  const child = spawn('prometheus', args, { stdio: 'inherit' });
  parts.defer(() => end(child));
  await until('Prometheus is ready', () => isGiven(child, `http://127.0.0.1:${port}/-/ready`), START_MS_MAX);
  return `http://127.0.0.1:${port}`;
}

async function isGiven(child: ChildProcess, url: string): Promise<boolean> {
  if (child.exitCode !== null) throw new Error(`${child.spawnargs[0]} ended at once`);
  const response = await fetch(url).catch(() => null);
  await response?.text();
  return response?.ok === true;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}

/** Requests are served by all, a change at one reaches the others, traces and metrics arrive, nothing is wrong. */
async function check(
  instances: readonly Instance[],
  collector: Collector,
  prometheus: string,
): Promise<number> {
  const ids: string[] = [];
  for (const { name, port } of instances) {
    const response = await fetch(`http://127.0.0.1:${port}/hello`);
    if (!response.ok) throw new Error(`${name} answers ${response.status}`);
    ids.push(response.headers.get('x-request-id') ?? '');
  }
  for (const id of ids) await collector.trace(id, 2);

  const [first, ...others] = instances;
  const change = { method: 'PATCH', body: JSON.stringify({ weight: 2 }) };
  const changed = await fetch(`http://127.0.0.1:${first?.admin}/api/upstreams/red`, change);
  const { revision } = (await changed.json()) as { revision: number };
  for (const { name, admin } of others) {
    await until(
      `${name} has heard of the change`,
      async () => (await clusterOf(admin)).revision >= revision,
      START_MS_MAX,
    );
  }

  const count = async (query: string) => Number((await ask(prometheus, query))[0]?.value[1] ?? 0);
  await until('all are scraped', async () => (await count('sum(up)')) === instances.length, START_MS_MAX);
  await until(
    'all see each other',
    async () => (await count('min(signalbox_cluster_instances)')) === 3,
    START_MS_MAX,
  );
  const alerts = await ask(prometheus, 'ALERTS{alertstate="firing"}');
  if (alerts.length > 0) throw new Error(`alerts are firing: ${JSON.stringify(alerts)}`);
  console.log('everything came together');
  return 0;
}

async function clusterOf(admin: number): Promise<{ revision: number }> {
  return (await fetch(`http://127.0.0.1:${admin}/api/cluster`)).json() as Promise<{ revision: number }>;
}

type Series = { readonly metric: object; readonly value: readonly [number, string] };

async function ask(prometheus: string, query: string): Promise<readonly Series[]> {
  const response = await fetch(`${prometheus}/api/v1/query?query=${encodeURIComponent(query)}`);
  return ((await response.json()) as { data: { result: Series[] } }).data.result;
}

function introduction(instances: readonly Instance[], collector: Collector, prometheus: string): string {
  const [first] = instances;
  const traces = `${collector.env['OTEL_EXPORTER_OTLP_ENDPOINT']}`;
  const lines = instances.map(
    ({ name, port, admin }) => `${name.padEnd(11)} http://127.0.0.1:${port}, admin http://127.0.0.1:${admin}`,
  );
  return `
${lines.join('\n')}
Prometheus  ${prometheus}/alerts
traces go to ${traces}

In another terminal:

  curl -i http://127.0.0.1:${first?.port}/hello
  bin/signalbox upstreams drain red && bin/signalbox upstreams list --admin http://127.0.0.1:${first === undefined ? '' : first.admin + 1}
  curl http://127.0.0.1:${first?.admin}/api/cluster

Ctrl-C ends all of it.
`;
}
