import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { renderMetricsPage } from '#telemetry/metrics-page.ts';

describe('the page of metrics', () => {
  it('is up to date', () => {
    const page = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
    assert.equal(page, renderMetricsPage(), 'docs/metrics.md is stale: run `npm run generate`');
  });
});
