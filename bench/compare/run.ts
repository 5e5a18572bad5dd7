// Compares Signalbox with other proxies, all on the same work in interleaved rounds, the proxy on one core, who
// asks and who answers on the other. Writes the figures of every round to bench/results/.
//
//   npm run bench -- [--rounds 5] [--seconds 5] [--rate 2000] [--only nginx,signalbox] [--scenario small,rate] [--keep]
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCollector } from './collector.ts';
import { memoryOfNode } from './node-memory.ts';
import { freePort, PROXY_CORE, Program } from './processes.ts';
import { type Figures, SCENARIOS } from './scenarios.ts';
import { printTable } from './summary.ts';
import { allTargets, type Site, type Target } from './targets.ts';
import { startUpstream } from './upstream.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '2000' },
    only: { type: 'string', default: '' },
    scenario: { type: 'string', default: '' },
    /** Whether the result is one to keep, under its date, or that of a try. */
    keep: { type: 'boolean', default: false },
  },
});
const isChosen = (list: string, name: string) =>
  list === '' || list.split(',').some((part) => name.startsWith(part));
const targets = allTargets().filter(({ name }) => isChosen(options.only, name));
const scenarios = SCENARIOS.filter(({ name }) => isChosen(options.scenario, name));
const [rounds, seconds, rate] = [options.rounds, options.seconds, options.rate].map(Number) as [
  number,
  number,
  number,
];

/** Whom a target speaks to. */
type Peers = Pick<Site, 'upstreams' | 'collector'>;

export type Result = {
  readonly started: string;
  readonly machine: { readonly cpu: string; readonly kernel: string; readonly node: string };
  readonly revision: string;
  readonly settings: { readonly rounds: number; readonly seconds: number; readonly rate: number };
  readonly versions: Readonly<Record<string, string>>;
  /** Resident bytes of Node itself: with nothing to run, and with a worker that has nothing to run either. */
  readonly node?: { readonly bytes: number; readonly with_worker_bytes: number };
  /** By scenario and target, a set of figures for each round. */
  readonly figures: Record<string, Record<string, Figures[]>>;
};

const result: Result = {
  started: new Date().toISOString(),
  machine: { cpu: cpus()[0]?.model ?? '', kernel: release(), node: process.versions.node },
  revision: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim(),
  settings: { rounds, seconds, rate },
  versions: Object.fromEntries(targets.map(({ name, version }) => [name, version])),
  node: await memoryOfNode(),
  figures: {},
};

const folder = mkdtempSync(join(tmpdir(), 'signalbox-bench-'));
try {
  await using upstream = await startUpstream(folder);
  await using collector = await startCollector();
  const peers = { upstreams: upstream.ports, collector: collector.port };
  for (let round = 0; round < rounds; round++) {
    // Another one begins each time, so that none always comes after the same neighbour.
    const order = [...targets.slice(round % targets.length), ...targets.slice(0, round % targets.length)];
    for (const target of order) {
      await measure(target, peers);
      console.log(`round ${round + 1}: ${target.name}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
printTable(result);
const results = fileURLToPath(new URL('../results/', import.meta.url));
mkdirSync(results, { recursive: true });
const file = join(results, options.keep ? `${result.started.slice(0, 10)}.json` : 'last.json');
writeFileSync(file, `${JSON.stringify(result, null, 1)}\n`);
console.log(`\nwritten: ${file}`);

async function measure(target: Target, peers: Peers): Promise<void> {
  const apart = scenarios.filter(({ isApart }) => isApart);
  const passes = [scenarios.filter(({ isApart }) => !isApart), ...apart.map((scenario) => [scenario])];
  for (const pass of passes) {
    const site = await newSite(peers);
    const startMs = performance.now();
    await using program = start(target, site);
    await program.listening(site.port);
    const authorization = await target.authorize(site.port);
    const coldMs = await firstAnswer(target, site.port, authorization, startMs);
    if (isChosen(options.scenario, 'start'))
      note('start', target, { cold_ms: coldMs, memory_bytes: program.memoryBytes() });
    for (const { name, run } of pass) {
      const figures = await run({ target, program, authorization, port: site.port, seconds, rate });
      if (figures !== null) note(name, target, figures);
    }
  }
  if (target.isBalancing && isChosen(options.scenario, 'failover')) await failOver(target, peers);
}

/** One of three upstreams is not there. */
async function failOver(target: Target, peers: Peers): Promise<void> {
  const small = SCENARIOS.find(({ name }) => name === 'small');
  const upstreams = [...peers.upstreams.slice(0, 2), await freePort()];
  const site = await newSite({ ...peers, upstreams });
  await using program = start(target, site);
  await program.listening(site.port);
  const authorization = await target.authorize(site.port);
  const figures = await small?.run({ target, program, authorization, port: site.port, seconds, rate });
  if (figures) note('failover', target, figures);
}

async function newSite({ upstreams, collector }: Peers): Promise<Site> {
  const [port, adminPort] = await Promise.all([freePort(), freePort()]);
  return { folder: mkdtempSync(join(folder, 'site-')), port, adminPort, upstreams, collector };
}

function start(target: Target, site: Site): Program {
  const env = { ...target.env(site), SIGNALBOX_DATA_DIR: site.folder };
  return new Program(PROXY_CORE, target.command(site), env);
}

/** Milliseconds from `startMs` until a request has been answered. */
async function firstAnswer(
  { name }: Target,
  port: number,
  authorization: string,
  startMs: number,
): Promise<number> {
  const headers = authorization === '' ? {} : { Authorization: authorization };
  const response = await fetch(`http://127.0.0.1:${port}/1k`, { headers });
  const body = await response.text();
  if (response.status !== 200 || body.length !== 1024)
    throw new Error(`${name} answers ${response.status}: ${body.slice(0, 300)}`);
  return performance.now() - startMs;
}

function note(scenario: string, { name }: Target, figures: Figures): void {
  const ofScenario = result.figures[scenario] ?? {};
  result.figures[scenario] = ofScenario;
  ofScenario[name] = [...(ofScenario[name] ?? []), figures];
}
