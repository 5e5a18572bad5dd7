import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { INSTANCE_INSTRUMENTS, type Instrument, WORKER_INSTRUMENTS } from '#core/metric-names.ts';
import { prometheusName } from '#telemetry/prometheus.ts';
import { ROOT } from '#test/support/process.ts';
import { namesIn } from '#test/support/promql.ts';
import { renderDashboard } from '../../scripts/dashboard.ts';

const INSTRUMENTS: readonly Instrument[] = [
  ...Object.values(WORKER_INSTRUMENTS),
  ...Object.values(INSTANCE_INSTRUMENTS),
];

const SERIES = new Set([
  'up',
  ...INSTRUMENTS.flatMap((instrument) => {
    const name = prometheusName(instrument);
    return instrument.kind === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name];
  }),
]);

const LABELS = new Set([
  'instance',
  'job',
  'le',
  ...INSTRUMENTS.flatMap(({ attributes }) => attributes.map((name) => name.replaceAll('.', '_'))),
]);

type Rule = {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly runbook: string };
};

const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const alerts: readonly Rule[] = parse(read('otel/alerts.yml')).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);
const dashboard = JSON.parse(read('otel/grafana/dashboards/signalbox.json'));
const panels: readonly { title: string; targets?: { expr: string }[] }[] = dashboard.panels;

function promtool(...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, {
    cwd: join(ROOT, 'otel'),
    encoding: 'utf8',
  });
  if (error !== undefined)
    throw new Error('promtool is missing; scripts/system-packages.sh installs it', { cause: error });
  return { status, output: `${stdout}${stderr}` };
}

function assertKnown(expression: string): void {
  const { metrics, labels } = namesIn(expression);
  assert.ok(metrics.length > 0, `nothing is asked for in ${expression}`);
  for (const name of metrics) assert.ok(SERIES.has(name), `no metric is named ${name}, in ${expression}`);
  for (const name of labels) assert.ok(LABELS.has(name), `no metric has a label ${name}, in ${expression}`);
}

describe('the alerts', () => {
  it('go off when they should, and not before', () => {
    const { status, output } = promtool('test', 'rules', 'alerts.test.yml');
    assert.equal(status, 0, output);
  });

  it('are all tested', () => {
    const tested = read('otel/alerts.test.yml');
    for (const { alert } of alerts) assert.match(tested, new RegExp(`alertname: ${alert}$`, 'm'));
  });

  for (const { alert, expr, annotations } of alerts) {
    it(`ask for what there is: ${alert}`, () => assertKnown(expr));

    it(`say what to do: ${alert}`, () => {
      assert.equal(annotations.runbook, `docs/operations.md#${alert.toLowerCase()}`);
      assert.match(read('docs/operations.md'), new RegExp(`^### ${alert}$`, 'm'));
    });
  }
});

describe('the dashboard', () => {
  it('is up to date', () => {
    const isFresh = read('otel/grafana/dashboards/signalbox.json') === renderDashboard();
    assert.ok(isFresh, 'otel/grafana/dashboards/signalbox.json is stale: run `npm run generate`');
  });

  for (const { title, targets = [] } of panels) {
    for (const { expr } of targets) {
      it(`asks for what there is: ${title}`, () => assertKnown(expr));
    }
  }

  it('shows every metric', () => {
    const shown = new Set(
      panels.flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namesIn(expr).metrics)),
    );
    const alerted = new Set(alerts.flatMap(({ expr }) => namesIn(expr).metrics));
    const missing = INSTRUMENTS.map(prometheusName).filter(
      (name) => ![...shown, ...alerted].some((series) => series === name || series.startsWith(`${name}_`)),
    );
    assert.deepEqual(missing, [
      // The sum of the states of requests is as good.
      'http_server_active_requests',
      // For whoever looks closer.
      'signalbox_cluster_heartbeats_total',
      'signalbox_limit_rejected_total',
      'signalbox_requests_unrecorded_total',
      'signalbox_access_log_dropped_total',
    ]);
  });
});

describe('the configuration of Prometheus', () => {
  it('is to its own liking', () => {
    const { status, output } = promtool('check', 'config', '--syntax-only', 'prometheus.yml');
    assert.equal(status, 0, output);
  });
});

describe('names in PromQL', () => {
  it('are told from words, labels and texts', () => {
    const asked = namesIn('sum by (le, job) (rate(a_total{b="c d", e!~"f"}[5m])) / on (job) g:h > 0.5');
    assert.deepEqual(asked, { metrics: ['a_total', 'g:h'], labels: ['b', 'e', 'le', 'job', 'job'] });
  });
});
