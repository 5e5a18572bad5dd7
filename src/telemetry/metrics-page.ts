/** The reference page of the metrics, from the one list of them. */
import { INSTANCE_INSTRUMENTS, type Instrument, WORKER_INSTRUMENTS } from '#core/metric-names.ts';
import { prometheusName } from './prometheus.ts';

const INTRODUCTION = `# Metrics

<!-- Generated from src/core/metric-names.ts by \`npm run generate\`. -->

Every instance serves these in Prometheus' text format, at \`/metrics\` of its admin listener or where
[\`metrics\`](configuration.md#metrics) says. They have the names of OpenTelemetry's semantic conventions where
those have one, dots as underscores, with the unit behind. No label's value comes from a client. A metric with
more than 2 000 series counts the others together, in one with \`otel_metric_overflow="true"\`.`;

const INSTRUMENTS: readonly Instrument[] = [
  ...Object.values(WORKER_INSTRUMENTS),
  ...Object.values(INSTANCE_INSTRUMENTS),
];

export function renderMetricsPage(): string {
  const rows = INSTRUMENTS.map((instrument) => {
    const labels = instrument.attributes.map((name) => `\`${name.replaceAll(/[^a-zA-Z0-9]/g, '_')}\``);
    return [
      `\`${prometheusName(instrument)}\``,
      kindOf(instrument),
      labels.join(', '),
      instrument.description,
    ];
  });
  const lines = [['metric', 'kind', 'labels', 'meaning'], ['---', '---', '---', '---'], ...rows];
  return `${INTRODUCTION}\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function kindOf({ kind }: Instrument): string {
  return kind === 'up_down_counter' ? 'gauge' : kind;
}
