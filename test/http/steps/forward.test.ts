import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Exchange } from '#actors/request/exchange.ts';
import type { RequestEvent } from '#actors/request/steps.ts';
import { Fields } from '#core/fields.ts';
import type { AttemptBooks } from '#http/attempt-record.ts';
import { Flight } from '#http/flight.ts';
import type { Claims } from '#http/in-flight/claims.ts';
import { RequestMetrics } from '#http/request-metrics.ts';
import type { RequestRecorder } from '#http/request-recorder.ts';
import { forwardStep } from '#http/steps/forward.ts';
import type { TransportHandler, TransportRequest } from '#http/transport.ts';
import type { UpstreamClients } from '#http/upstream-clients.ts';
import { NO_BODY } from '#http/whole-body.ts';
import { MetricCells } from '#shared/metric-cells.ts';
import { UpstreamCells } from '#shared/upstream-cells.ts';
import { sampleRoute, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const TRACE = { traceId: 'a'.repeat(32), isSampled: false, tracestate: null, parentSpanId: null };

/** An attempt of which the transport makes this, before it returns. */
function begin(dispatched: (flight: Flight<null>) => void) {
  const told: string[] = [];
  const flights: Flight<null>[] = [];
  const transport = {
    dispatch(request: TransportRequest, handler: TransportHandler) {
      const flight = new Flight(request, null, handler);
      flights.push(flight);
      dispatched(flight);
      return false;
    },
  };
  const books: AttemptBooks = {
    cells: UpstreamCells.create(1),
    metrics: new RequestMetrics(MetricCells.create(1).ofWorker(0)),
    clock: new VirtualClock(),
    onFailing() {},
    onFreed() {},
  };
  const step = forwardStep({ for: () => transport } as unknown as UpstreamClients, {} as Claims, books, {
    attemptBegun: () => 'b'.repeat(16),
  } as unknown as RequestRecorder);
  const request = {
    method: 'GET',
    target: '/',
    headers: Fields.of(['Host', 'x']),
    clientAddress: '192.0.2.1',
    host: 'x',
  };
  const exchange = {
    id: TRACE.traceId,
    trace: TRACE,
    table: sampleTable(),
    route: sampleRoute(),
    body: NO_BODY,
    reply: { isGone: false },
    request: {
      ...request,
      peerAddress: '192.0.2.1',
      peerTrusted: false,
      scheme: 'http',
      upgrade: null,
      tls: null,
    },
  } as unknown as Exchange;
  const machine = { tell: ({ type }: RequestEvent) => told.push(type) };
  const work = step({ exchange, identity: null, upstream: sampleUpstream() }, machine);
  return { told, work: work ?? assert.fail(), flight: flights[0] ?? assert.fail() };
}

describe('an attempt to forward', () => {
  it('says nothing of a request that is written at once', () => {
    const { told } = begin((flight) => flight.start());
    assert.deepEqual(told, []);
  });

  it('says that it waits for a connection, and when it has one', () => {
    const { told, flight } = begin(() => {});
    assert.deepEqual(told, ['attempt.queued']);
    flight.start();
    assert.deepEqual(told, ['attempt.queued', 'attempt.started']);
  });

  it('does not wait when it has failed already', () => {
    const { told } = begin((flight) => flight.fail(new Error('no connection')));
    assert.deepEqual(told, ['attempt.failed']);
  });

  it('is not written once it was given up', () => {
    const { told, work, flight } = begin(() => {});
    work.stop();
    assert.equal(flight.start(), false);
    assert.deepEqual(told, ['attempt.queued']);
  });
});
