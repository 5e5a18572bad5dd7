import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RefusalCause } from '#core/refusals.ts';
import type { Pool } from '#core/table.ts';
import { AttemptRecord } from '#http/attempt-record.ts';
import { RequestMetrics } from '#http/request-metrics.ts';
import { MetricCells } from '#shared/metric-cells.ts';
import { BROKEN_TOGETHER_MS } from '#shared/outcome-cells.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { samplePool, sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const SLOT = 3;
const LIMITS = { consecutive5xx: 2, consecutiveGatewayFailures: 2 };

function scene() {
  const cells = UpstreamCells.create(1);
  const metricCells = MetricCells.create(1);
  const clock = new VirtualClock();
  const failing: string[] = [];
  const freed: string[] = [];
  const books = {
    cells,
    metrics: new RequestMetrics(metricCells.ofWorker(0)),
    clock,
    onFailing: (slot: number, kind: string) => failing.push(`${slot} ${kind}`),
    onFreed: ({ name }: Pool) => freed.push(name),
  };
  return {
    cells,
    clock,
    failing,
    freed,
    begin: (inFlight: Pool['inFlight'] = null) => {
      const pool = samplePool({ outliers: LIMITS, inFlight });
      return new AttemptRecord(books, sampleUpstream({ slot: SLOT }), 'GET', pool, books.clock.monotonicMs());
    },
    /** Status and error of each attempt that was measured. */
    measured: () => metricCells.read('attemptDuration').map(({ labels }) => labels?.slice(-2).join('')),
  };
}

describe('an attempt', () => {
  it('keeps its upstream busy until it is settled', () => {
    const { cells, begin } = scene();
    const record = begin();
    record.started();
    record.answered(200);
    assert.equal(cells.inFlight(SLOT), 1);
    record.settled();
    assert.equal(cells.inFlight(SLOT), 0);
  });

  it('at an upstream with a bound is counted before, and tells when there is room again', () => {
    const { cells, begin, freed } = scene();
    cells.tryBegin(SLOT, 1);
    const record = begin({ max: 1, queue: { lengthMax: 1, timeoutMs: 1 } });
    assert.equal(cells.inFlight(SLOT), 1);
    record.settled();
    assert.equal(cells.inFlight(SLOT), 0);
    assert.deepEqual(freed, ['default']);
  });

  it('that is answered tells how long that took', () => {
    const { cells, clock, begin, measured } = scene();
    const record = begin();
    clock.advance(20);
    record.answered(200);
    assert.equal(cells.latencyMs(SLOT, clock.monotonicMs()), 20);
    assert.deepEqual(measured(), ['200']);
  });

  it('has others avoid an upstream that it could not reach, until one reaches it', () => {
    const { cells, clock, begin } = scene();
    begin().failed('upstream_unreachable');
    assert.ok(cells.admission.isAvoided(SLOT, clock.monotonicMs()));
    begin().started();
    assert.ok(!cells.admission.isAvoided(SLOT, clock.monotonicMs()));
    begin().failed('upstream_closed');
    assert.ok(!cells.admission.isAvoided(SLOT, clock.monotonicMs()));
  });

  it('that nobody waits for any more is measured unless it was over', () => {
    const { begin, measured } = scene();
    begin().givenUp('client_left');
    const answered = begin();
    answered.answered(200);
    answered.givenUp('client_left');
    assert.deepEqual(measured(), ['client_left', '200']);
  });
});

describe('attempts that fail in a row', () => {
  it('are told, whatever the upstream did wrong', () => {
    const { begin, clock, failing } = scene();
    for (const cause of ['upstream_closed', 'upstream_protocol_error'] satisfies RefusalCause[]) {
      begin().failed(cause);
      clock.advance(BROKEN_TOGETHER_MS);
    }
    begin().answered(502);
    const late = begin();
    late.started();
    late.givenUp('upstream_timeout');
    assert.deepEqual(failing, [`${SLOT} gateway_failure`, `${SLOT} gateway_failure`]);
  });

  // A restart of a busy upstream ended all of its requests at once, and had it ejected for half a minute.
  it('are one when they break off together', () => {
    const { begin, clock, failing } = scene();
    for (let i = 0; i < 20; i++) begin().failed('upstream_closed');
    clock.advance(BROKEN_TOGETHER_MS - 1);
    begin().failed('upstream_closed');
    assert.deepEqual(failing, []);
    clock.advance(1);
    begin().failed('upstream_closed');
    assert.deepEqual(failing, [`${SLOT} gateway_failure`]);
  });

  it('are told apart where there was no connection, once while it is avoided', () => {
    const { begin, clock, failing } = scene();
    for (let i = 0; i < 20; i++) begin().failed('connect_timeout');
    assert.deepEqual(failing, [`${SLOT} unreachable`]);
    clock.advance(100);
    begin().failed('upstream_unreachable');
    assert.deepEqual(failing, [`${SLOT} unreachable`, `${SLOT} unreachable`]);
  });

  it('are told as server errors where the upstream answered', () => {
    const { begin, failing } = scene();
    for (const status of [500, 501]) begin().answered(status);
    assert.deepEqual(failing, [`${SLOT} 5xx`]);
  });

  it('are none where the client is to blame, left, or waited for a connection in vain', () => {
    const { begin, failing } = scene();
    for (let i = 0; i < 5; i++) {
      begin().failed('malformed_request');
      begin().givenUp('upstream_timeout');
      const left = begin();
      left.started();
      left.givenUp('client_left');
    }
    assert.deepEqual(failing, []);
  });

  it('are not in a row with an answer between them', () => {
    const { begin, failing } = scene();
    for (const status of [503, 404, 503, 200, 500]) begin().answered(status);
    assert.deepEqual(failing, []);
  });
});
