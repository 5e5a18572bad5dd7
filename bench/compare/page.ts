/** docs/performance.md, from the newest result that was kept. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Scale } from '../scale.ts';
import { renderScalePlot } from '../scale-plot.ts';
import type { Result } from './run.ts';
import { SCENARIOS, SETTLE_SECONDS } from './scenarios.ts';
import { median, ratio } from './summary.ts';

const results = fileURLToPath(new URL('../results/', import.meta.url));

/** Figures in the order of their columns: key, heading, how it is written. */
const COLUMNS: readonly (readonly [key: string, heading: string, write: (value: number) => string])[] = [
  ['per_second', 'requests/s', (value) => `${Math.round(value)}`],
  ['cpu_us', 'CPU µs', (value) => value.toFixed(1)],
  ['p50_ms', 'p50 ms', (value) => value.toFixed(2)],
  ['p99_ms', 'p99 ms', (value) => value.toFixed(2)],
  ['p999_ms', 'p99.9 ms', (value) => value.toFixed(2)],
  ['errors', 'errors', (value) => `${value}`],
  ['cold_ms', 'ms to the first answer', (value) => `${Math.round(value)}`],
  ['bytes_each', 'bytes a connection', (value) => `${Math.round(value)}`],
  ['memory_bytes', 'memory MB', (value) => `${Math.round(value / 1e6)}`],
];

const TITLES = new Map<string, string>([
  ...SCENARIOS.map(({ name, title }): [string, string] => [name, title]),
  ['start', 'Cold start to the first proxied answer'],
  ['failover', 'GET of 1 KiB, one of three upstreams dead'],
]);

export function renderPerformancePage(): string {
  const file = globSync('[0-9]*.json', { cwd: results }).toSorted().at(-1);
  if (file === undefined) throw new Error('bench/results has no result yet: npm run bench -- --keep');
  const result = JSON.parse(readFileSync(`${results}${file}`, 'utf8')) as Result;
  const { started, machine, revision, settings, versions, node } = result;
  const sections = [...TITLES.keys()].filter((scenario) => result.figures[scenario] !== undefined);
  return `<!-- Generated from bench/results/${file} by \`npm run generate\`. -->

# Performance

Every proxy did the same work in turn, ${settings.rounds} rounds of ${settings.seconds} s each, on one core of its
own; the load generator and the upstream (nginx) had the other one. CPU time is user and system time of all of
its processes, and memory is theirs, of processes that served nothing before.${node === undefined ? '' : ofNode(node)}
The first work begins after ${SETTLE_SECONDS} s of the same, in which compilers settle, each other one after 1 s.
Each figure is the median of the rounds; the ratio is CPU time a request beside nginx in the same round.
\`npm run bench\` measures this again, anywhere.

Measured ${started.slice(0, 10)} at ${revision}, on ${machine.cpu}, Linux ${machine.kernel}, Node ${machine.node}.
${versionsIn(versions)}.

“bare” forwards over three upstreams, counts metrics and keeps a record of each request; with “undici” by undici's clients
in place of our own. “full” also verifies a token, enforces a limit, balances by load and latency, and sends traces of 1 %
of the requests to a collector. Probes do only a part of the work, to show what that part costs.
“full” takes 120 MB until the first trace is sent: OpenTelemetry's SDK, which is loaded for that one, takes the rest.
A start finds what Node compiled at an earlier one, as every start does but the first after an installation.

Of a small GET's time in a worker (“bare”), a profile has 40 % in the kernel (two reads and two writes a request), 18 % in
C++ of Node and V8 and in the C library, 7 % in V8's builtins, 33 % in compiled JavaScript, and 2 % in collecting garbage.
Of what the whole pipeline (“full”) takes outside of the kernel, 12 % goes into reading the two heads, 10 % into building
the two that are sent, 14 % into writing them, 6 % into the token and the limit, 7 % into the record, 3 % into finding the
route and the upstream, and 3 % into the request's machine (0.2 µs: \`npm run bench:machine\`). The rest is Node's streams
and callbacks, and many small things. Traces of 1 % are beside it, in the control plane: 2 to 3 %.

${sections.map((scenario) => renderScenario(result, scenario)).join('\n')}
${renderScale(readScale())}`;
}

export function renderScaleFile(): string {
  return renderScalePlot(readScale());
}

function readScale(): Scale {
  return JSON.parse(readFileSync(`${results}scale.json`, 'utf8')) as Scale;
}

function renderScale({ started, curves, counts, workers }: Scale): string {
  const rows = curves.map(({ name, ns }) => [name, ...ns.map((it) => `${Math.round(it)}`)]);
  const lines = [['', ...counts.map((count) => `${count}`)], ['---', ...counts.map(() => '---:')], ...rows];
  const each = workers.map(
    ({ workers: count, cpu_us: us, per_second: rate }) =>
      `${count} of them: ${us.toFixed(1)} µs of CPU time a request, ${Math.round(rate)} requests/s`,
  );
  return `## Many routes, many upstreams, several workers

![Cost by count](scale.svg)

CPU time of finding a route, and of choosing an upstream by each strategy, in nanoseconds, with so many of them
(\`npm run bench:scale\`, ${started.slice(0, 10)}):

${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}

Workers share no lock. With load generator and upstream on the same cores, ${each.join('; with ')}.
`;
}

function ofNode({ bytes, with_worker_bytes: both }: NonNullable<Result['node']>): string {
  const [alone, more] = [bytes, both - bytes].map((it) => Math.round(it / 1e6));
  return ` Of Signalbox's, Node itself
takes ${alone} MB with nothing to run, and ${more} MB more for a worker with nothing to run.`;
}

/** Each program once, however many ways it was run. */
function versionsIn(versions: Readonly<Record<string, string>>): string {
  const all = Object.entries(versions).map(
    ([name, version]) => `${name.replace(/ (?:bare|full).*| \(probe\)/, '')} ${version}`,
  );
  return [...new Set(all.filter((text) => !text.startsWith('node-')))].join(', ');
}

function renderScenario(result: Result, scenario: string): string {
  const targets = Object.entries(result.figures[scenario] ?? {});
  const columns = COLUMNS.filter(([key]) => targets.some(([, rounds]) => rounds[0]?.[key] !== undefined));
  const isCompared = columns.some(([key]) => key === 'cpu_us');
  const headings = ['', ...(isCompared ? ['× nginx'] : []), ...columns.map(([, heading]) => heading)];
  const rows = targets.map(([name, rounds]) => {
    const cells = columns.map(([key, , write]) => written(median(rounds, key), write));
    const compared = isCompared ? [written(ratio(result, scenario, name), (value) => value.toFixed(2))] : [];
    return [name, ...compared, ...cells];
  });
  const lines = [headings, headings.map((_, column) => (column === 0 ? '---' : '---:')), ...rows];
  return `## ${TITLES.get(scenario)}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function written(value: number, write: (value: number) => string): string {
  return Number.isFinite(value) ? write(value) : '–';
}
