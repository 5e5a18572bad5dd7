import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { withinSpanOfHearing } from '#telemetry/traces/bus-spans.ts';
import { Traces } from '#telemetry/traces/traces.ts';
import { Collector } from '#test/support/collector.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { sampleRecord } from '#test/support/sample-record.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const { cache } = createRequire(import.meta.url);
const DELAY_MS = 1_000;
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01';

function isLoaded(): boolean {
  return Object.keys(cache).some((file) => file.includes('@opentelemetry/sdk-node'));
}

function tracesTo(collector: Collector, clock: VirtualClock): Traces {
  const url = `${collector.env['OTEL_EXPORTER_OTLP_ENDPOINT']}/v1/traces`;
  const settings = { url, headers: {}, timeoutMs: 10_000, delayMs: DELAY_MS, queueMax: 8, batchMax: 8 };
  const { log } = keptLog();
  return new Traces({ settings, attributes: { 'service.name': 'edge' }, instance: 'one', clock, log });
}

describe('the traces of an instance', () => {
  it('load nothing before there is one, and then lose none', async (t) => {
    const collector = await Collector.start(t);
    const clock = new VirtualClock();
    await using traces = tracesTo(collector, clock);
    traces.add({ ...sampleRecord(), isTraced: false });
    withinSpanOfHearing('heartbeat', 'two', null, () => {});
    assert.equal(isLoaded(), false);
    assert.deepEqual(traces.counts, { sent: 0, dropped: 0, failed: 0 });

    withinSpanOfHearing('heartbeat', 'two', TRACEPARENT, () => {});
    assert.equal(isLoaded(), true);
    traces.add({ ...sampleRecord(), isTraced: true });
    clock.advance(DELAY_MS);
    await until('they have come', () => traces.counts.sent > 1);
    const [heard, served] = collector.spans;
    assert.deepEqual([heard?.kind, served?.kind], ['consumer', 'server']);
    assert.equal(served?.resource['service.name'], 'edge');
  });
});
