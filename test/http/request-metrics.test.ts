import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { WorkerInstrument } from '#core/metric-names.ts';
import { NO_ROUTE, RequestMetrics } from '#http/request-metrics.ts';
import { MetricCells } from '#shared/metric-cells.ts';
import { sampleRoute, sampleUpstream } from '#test/support/sample-table.ts';

let cells: MetricCells;
let metrics: RequestMetrics;

beforeEach(() => {
  cells = MetricCells.create(1);
  metrics = new RequestMetrics(cells.ofWorker(0));
});

/** Labels of each series, and its count: of what a histogram has observed, or a counter has counted. */
function counts(instrument: WorkerInstrument) {
  return cells.read(instrument).map(({ labels, numbers }) => {
    const observed = numbers.length === 1 ? numbers : numbers.slice(0, -1);
    return [labels, observed.reduce((sum, number) => sum + number, 0)];
  });
}

function request(method: string, status: number, route = sampleRoute()): void {
  metrics.requestBegun(method, 'http');
  metrics.requestEnded(route, method, 'http', status, 0.01);
}

describe('requests', () => {
  it('are counted by method, route and status', () => {
    request('GET', 200);
    request('GET', 200);
    request('POST', 200);
    request('GET', 404, sampleRoute({ name: 'api' }));
    assert.deepEqual(counts('requestDuration'), [
      [['GET', 'default', 200, 'http'], 2],
      [['POST', 'default', 200, 'http'], 1],
      [['GET', 'api', 404, 'http'], 1],
    ]);
  });

  it('may have no route and no status', () => {
    metrics.requestBegun('GET', 'https');
    metrics.requestEnded(NO_ROUTE, 'GET', 'https', 0, 0.01);
    assert.deepEqual(counts('requestDuration'), [[['GET', '', '', 'https'], 1]]);
  });

  it('with methods that clients invent are one series', () => {
    for (let nth = 0; nth < 100; nth++) request(`BREW${nth}`, 200);
    assert.deepEqual(counts('requestDuration'), [[['_OTHER', 'default', 200, 'http'], 100]]);
    assert.deepEqual(counts('activeRequests'), [[['_OTHER', 'http'], 0]]);
  });

  it('go on in the same series when the table is replaced', () => {
    request('GET', 200);
    request('GET', 200, sampleRoute({ pool: 'another' }));
    assert.deepEqual(counts('requestDuration'), [[['GET', 'default', 200, 'http'], 2]]);
  });

  it('are active from their begin to their end', () => {
    metrics.requestBegun('GET', 'http');
    metrics.requestBegun('GET', 'http');
    metrics.requestEnded(NO_ROUTE, 'GET', 'http', 200, 0.01);
    assert.deepEqual(counts('activeRequests'), [[['GET', 'http'], 1]]);
  });
});

describe('attempts', () => {
  it('are counted by upstream, and by how they ended', () => {
    const red = sampleUpstream();
    const blue = sampleUpstream({ name: 'blue', port: 3001, slot: 1 });
    metrics.attemptBegun(red);
    metrics.attemptFailed(red, 'GET', 'upstream_unreachable', 0.01);
    metrics.retried(blue, 'upstream_unreachable');
    metrics.attemptBegun(blue);
    metrics.attemptAnswered(blue, 'GET', 200, 0.01);
    metrics.attemptBegun(blue);
    metrics.attemptFailed(blue, 'GET', 'client_left', 0.01);
    assert.deepEqual(counts('attempts'), [
      [['default', 'red'], 1],
      [['default', 'blue'], 2],
    ]);
    metrics.retried(blue, 503);
    metrics.retried(blue, 503);
    assert.deepEqual(counts('retries'), [
      [['default', 'blue', 'upstream_unreachable'], 1],
      [['default', 'blue', 503], 2],
    ]);
    assert.deepEqual(counts('attemptDuration'), [
      [['GET', '127.0.0.1', 3000, 'default', 'red', '', 'upstream_unreachable'], 1],
      [['GET', '127.0.0.1', 3001, 'default', 'blue', 200, ''], 1],
      [['GET', '127.0.0.1', 3001, 'default', 'blue', '', 'client_left'], 1],
    ]);
  });

  it('at an upstream that takes over a slot are not counted for the one before', () => {
    metrics.attemptBegun(sampleUpstream({ name: 'old', slot: 7 }));
    metrics.attemptBegun(sampleUpstream({ name: 'new', slot: 7 }));
    assert.deepEqual(counts('attempts'), [
      [['default', 'old'], 1],
      [['default', 'new'], 1],
    ]);
  });
});

it('connections are counted by address, and whether they are open', () => {
  const red = sampleUpstream();
  metrics.connectionOpened(red);
  metrics.connectionOpened(sampleUpstream({ name: 'another name' }));
  metrics.connectionFailed(red);
  metrics.connectionClosed(red);
  assert.deepEqual(counts('connections'), [
    [['127.0.0.1', 3000, 'opened'], 2],
    [['127.0.0.1', 3000, 'failed'], 1],
  ]);
  assert.deepEqual(counts('openConnections'), [[['127.0.0.1', 3000], 1]]);
});

it('limits are counted by name, and by what they decided', () => {
  const limit = { name: 'api' };
  for (const isAllowed of [true, true, false]) metrics.limited(limit, isAllowed);
  assert.deepEqual(counts('limitDecisions'), [
    [['api', 'passed'], 2],
    [['api', 'limited'], 1],
  ]);
});

it('refusals are counted by cause', () => {
  metrics.refused('rate_limited');
  metrics.refused('no_route');
  metrics.refused('rate_limited');
  assert.deepEqual(counts('refusals'), [
    [['rate_limited'], 2],
    [['no_route'], 1],
  ]);
});
