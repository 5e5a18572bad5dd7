import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { INSTANCE_INSTRUMENTS, type Instrument, WORKER_INSTRUMENTS } from '#core/metric-names.ts';
import { InstanceMetrics } from '#telemetry/metric-producer.ts';
import type { Metric } from '#telemetry/metric-sources.ts';
import { prometheusName, prometheusText } from '#telemetry/prometheus.ts';
import { instanceResource } from '#telemetry/resource.ts';
import { parseExposition, promtoolComplaints, type Sample, total } from '#test/support/exposition.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const INSTRUMENTS: readonly Instrument[] = [
  ...Object.values(WORKER_INSTRUMENTS),
  ...Object.values(INSTANCE_INSTRUMENTS),
];

const RESOURCE = instanceResource({ 'service.name': 'signalbox', team: 'edge' }, 'here');

function expose(...metrics: Metric[]): Promise<string> {
  return prometheusText(new InstanceMetrics(RESOURCE, [() => metrics], 0, new VirtualClock()));
}

/** All samples but the one that says who is speaking. */
async function samplesOf(...metrics: Metric[]): Promise<Sample[]> {
  return parseExposition(await expose(...metrics)).filter(({ name }) => name !== 'target_info');
}

function labelsFor({ attributes }: Instrument): string[] {
  return attributes.map((name) => `some ${name}`);
}

describe('the exposition', () => {
  it('of every metric there is, with and without series, is to promtool’s liking', async () => {
    const metrics = INSTRUMENTS.map((instrument) => {
      const numbers = [1, ...instrument.bounds.map(() => 2), ...(instrument.bounds.length > 0 ? [9] : [])];
      return { instrument, series: [{ labels: labelsFor(instrument), numbers }] };
    });
    assert.equal(promtoolComplaints(await expose(...metrics)), '');
    const empty = INSTRUMENTS.map((instrument) => ({ instrument, series: [] }));
    assert.equal(promtoolComplaints(await expose(...empty)), '');
  });

  it('says who is speaking', async () => {
    const [info] = parseExposition(await expose());
    assert.equal(info?.name, 'target_info');
    assert.equal(info?.labels['service_name'], 'signalbox');
    assert.equal(info?.labels['service_instance_id'], 'here');
    assert.equal(info?.labels['team'], 'edge');
  });

  it('names units in words, and counters as totals', async () => {
    const text = await expose(...INSTRUMENTS.map((instrument) => ({ instrument, series: [] })));
    const names = [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(names, ['target_info', ...INSTRUMENTS.map(prometheusName)]);
    assert.ok(names.includes('http_server_request_duration_seconds'));
    assert.ok(names.includes('http_server_active_requests'));
    assert.ok(names.includes('signalbox_retries_total'));
    assert.ok(names.includes('process_memory_usage_bytes'));
  });

  it('of a histogram has cumulative buckets, which end with its count', async () => {
    const instrument = { ...WORKER_INSTRUMENTS.requestDuration, attributes: [], bounds: [0.1, 1] };
    const name = 'http_server_request_duration_seconds';
    assert.deepEqual(await samplesOf({ instrument, series: [{ labels: [], numbers: [3, 0, 2, 21.5] }] }), [
      { name: `${name}_count`, labels: {}, value: 5 },
      { name: `${name}_sum`, labels: {}, value: 21.5 },
      { name: `${name}_bucket`, labels: { le: '0.1' }, value: 3 },
      { name: `${name}_bucket`, labels: { le: '1' }, value: 3 },
      { name: `${name}_bucket`, labels: { le: '+Inf' }, value: 5 },
    ]);
  });

  it('marks the series that stands for those without room', async () => {
    const [sample] = await samplesOf({
      instrument: WORKER_INSTRUMENTS.refusals,
      series: [{ labels: null, numbers: [7] }],
    });
    assert.deepEqual(sample, {
      name: 'signalbox_refusals_total',
      labels: { otel_metric_overflow: 'true' },
      value: 7,
    });
  });

  it('keeps any label and any number', async () => {
    const series = fc.uniqueArray(
      fc.record({
        labels: fc.tuple(fc.string({ unit: 'binary' }), fc.string()),
        numbers: fc.tuple(fc.double({ min: 0, max: 2 ** 53, noNaN: true })),
      }),
      { selector: ({ labels }) => JSON.stringify(labels) },
    );
    const instrument = WORKER_INSTRUMENTS.attempts;
    await fc.assert(
      fc.asyncProperty(series, async (made) => {
        const samples = await samplesOf({ instrument, series: made });
        assert.deepEqual(
          samples.map(({ labels, value }) => [labels['signalbox_pool'], labels['signalbox_upstream'], value]),
          made.map(({ labels, numbers }) => [...labels, numbers[0]]),
        );
      }),
    );
  });
});

describe('total', () => {
  it('adds up what has the labels', () => {
    const samples = parseExposition('a{b="1",c="x"} 1\na{b="1",c="y"} 2\na{b="2"} 4\n');
    assert.deepEqual([total(samples, 'a', { b: '1' }), total(samples, 'a'), total(samples, 'z')], [3, 7, 0]);
  });
});
