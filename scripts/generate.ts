// `npm run generate`: writes what is derived from the sources. Tests fail when any of it is stale.
import { readFileSync, writeFileSync } from 'node:fs';
import { renderMachinesPage, withPicture } from '#actors/chart-page.ts';
import { renderJsonSchema } from '#config/json-schema.ts';
import { renderReference } from '#config/reference.ts';
import { renderMetricsPage } from '#telemetry/metrics-page.ts';
import { renderPerformancePage, renderScaleFile } from '../bench/compare/page.ts';
import { renderDashboard } from './dashboard.ts';

const GENERATED = {
  'config/schema.json': renderJsonSchema,
  'docs/configuration.md': renderReference,
  'docs/machines.md': renderMachinesPage,
  'docs/metrics.md': renderMetricsPage,
  'docs/performance.md': renderPerformancePage,
  'docs/scale.svg': renderScaleFile,
  'otel/grafana/dashboards/signalbox.json': renderDashboard,
  'README.md': () => withPicture(readFileSync(fileOf('README.md'), 'utf8')),
};

for (const [name, render] of Object.entries(GENERATED)) {
  writeFileSync(fileOf(name), render());
  console.log(name);
}

function fileOf(name: string): URL {
  return new URL(`../${name}`, import.meta.url);
}
