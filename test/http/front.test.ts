import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { describe, it, type TestContext } from 'node:test';
import { seededRandom } from '#core/random.ts';
import type { ControlAnswer, FromWorker } from '#core/worker-messages.ts';
import { addressBlocks } from '#http/address-blocks.ts';
import { ANSWER_MS_MAX, ControlLine } from '#http/control-line.ts';
import { Front } from '#http/front.ts';
import { controlPage, health } from '#http/local.ts';
import { Overload } from '#http/overload.ts';
import { RequestMetrics } from '#http/request-metrics.ts';
import { RequestRecorder } from '#http/request-recorder.ts';
import { HeldBytes } from '#shared/held-bytes.ts';
import { MetricCells } from '#shared/metric-cells.ts';
import { RequestRecords } from '#shared/records/request-records.ts';
import { until } from '#test/support/process.ts';
import { sampleTelemetry } from '#test/support/sample-settings.ts';
import { sampleRoute, sampleTable } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { serve } from './h1-server/scene.ts';

/** A front on a port of its own, whose control plane is the test, and whose routes lead nowhere. */
async function startFront(t: TestContext, table = sampleTable({ routes: [] }), lagMs = 0) {
  const clock = new VirtualClock();
  const cells = MetricCells.create(1);
  const records = RequestRecords.create({ workers: 1, kept: 8, inFlight: 8 });
  const control = Object.assign(new EventTarget(), { asked: [] as FromWorker[] });
  const line = new ControlLine((message) => {
    control.asked.push(message);
    control.dispatchEvent(new Event('asked'));
  }, clock);
  const held = HeldBytes.create(1, 1_000_000);
  const overload = new Overload(100, held, seededRandom(1));
  overload.probed(lagMs, clock.monotonicMs() - lagMs);
  const front = new Front({
    table,
    run: () => assert.fail('nothing is routed here'),
    locals: [health, controlPage('/metrics', line)],
    trusted: addressBlocks([]),
    metrics: new RequestMetrics(cells.ofWorker(0)),
    recorder: new RequestRecorder(records.writer(0), sampleTelemetry(), false, clock),
    overload,
    held,
    clock,
  });
  const { port, outcomes } = await serve(t, (arrival) => front.accept(arrival));
  return { url: `http://127.0.0.1:${port}`, clock, cells, line, control, outcomes };
}

const ANSWER: ControlAnswer = {
  status: 200,
  headers: ['Content-Type', 'text/plain'],
  body: Buffer.from('x 1\n'),
};

describe('metrics on the port of the traffic', () => {
  it('are what the control plane says, with the headers of every answer', async (t) => {
    const { url, control, line } = await startFront(t);
    control.addEventListener('asked', () => line.deliver(control.asked.length, ANSWER));
    const response = await fetch(`${url}/metrics?name=x`, { headers: { 'X-Test': 'yes' } });
    assert.equal(await response.text(), 'x 1\n');
    assert.equal(response.headers.get('content-type'), 'text/plain');
    assert.equal(response.headers.get('content-length'), '4');
    assert.equal(response.headers.get('x-proxy-by'), 'signalbox');
    const [message] = control.asked;
    assert.ok(message?.type === 'question');
    assert.deepEqual([message.question.method, message.question.path], ['GET', '/metrics']);
    assert.ok(message.question.headers.includes('yes'));
  });

  it('have a head without a body', async (t) => {
    const { url, control, line } = await startFront(t);
    control.addEventListener('asked', () => line.deliver(control.asked.length, ANSWER));
    const response = await fetch(`${url}/metrics`, { method: 'HEAD' });
    assert.equal(response.headers.get('content-length'), '4');
    assert.equal(await response.text(), '');
  });

  it('are refused when the control plane is silent', async (t) => {
    const { url, control, clock, cells, outcomes } = await startFront(t);
    control.addEventListener('asked', () => clock.advance(ANSWER_MS_MAX));
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.equal(((await response.json()) as { error: string }).error, 'Service unavailable');
    await until('it has ended', () => outcomes.length > 0);
    assert.deepEqual(outcomes, ['refused']);
    assert.deepEqual(cells.read('refusals'), [{ labels: ['overloaded'], numbers: [1] }]);
  });

  it('are an error when the control plane failed over them', async (t) => {
    const { url, control, line } = await startFront(t);
    control.addEventListener('asked', () => line.deliver(control.asked.length, null));
    assert.equal((await fetch(`${url}/metrics`)).status, 500);
  });

  it('are dropped when the client has left', async (t) => {
    const { url, control, line, cells, outcomes } = await startFront(t);
    const asked = once(control, 'asked');
    const request = get(`${url}/metrics`).on('error', () => {});
    await asked;
    request.socket?.resetAndDestroy();
    await until('it has ended', () => outcomes.length > 0);
    line.deliver(1, null);
    assert.deepEqual(outcomes, ['abandoned']);
    assert.deepEqual(cells.read('refusals'), []);
    assert.deepEqual(
      cells.read('requestDuration').map(({ labels }) => labels),
      [['GET', '/metrics', '', 'http']],
    );
  });

  it('leave other methods, and paths that only begin like theirs, to the routes', async (t) => {
    const { url } = await startFront(t);
    assert.equal((await fetch(`${url}/metrics`, { method: 'POST' })).status, 404);
    assert.equal((await fetch(`${url}/metricsx`)).status, 404);
    assert.equal((await fetch(`${url}/metrics/`)).status, 404);
  });
});

describe('what never reaches a route', () => {
  it('is counted by its path, or by no route at all', async (t) => {
    const { url, cells } = await startFront(t);
    const trace = get(url, { method: 'TRACE', agent: false });
    const [refused]: IncomingMessage[] = await once(trace, 'response');
    assert.equal(refused?.resume().statusCode, 501);
    assert.equal(await (await fetch(`${url}/health`)).text(), '{"status":"healthy"}');
    assert.equal((await fetch(`${url}/none`)).status, 404);
    assert.deepEqual(
      cells.read('requestDuration').map(({ labels }) => labels),
      [
        ['TRACE', '', 501, 'http'],
        ['GET', '/health', 200, 'http'],
        ['GET', '', 404, 'http'],
      ],
    );
    assert.deepEqual(
      cells.read('refusals').map(({ labels }) => labels),
      [['method_not_supported'], ['no_route']],
    );
  });
});

describe('a worker that is far behind', () => {
  const cors = {
    origins: '*' as const,
    methods: 'GET',
    headers: '',
    exposedHeaders: '',
    hasCredentials: false,
    maxAgeSeconds: 1,
  };

  it('refuses what is routed, tells scripts so, and answers what is local', async (t) => {
    const table = sampleTable({ routes: [sampleRoute({ cors })] });
    const { url, cells } = await startFront(t, table, 1000);
    const response = await fetch(url, { method: 'POST', body: 'x', headers: { Origin: 'https://app.test' } });
    assert.equal(response.status, 503);
    assert.equal(response.headers.get('retry-after'), '1');
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    assert.match(await response.text(), /more to do than it can/);
    assert.equal((await fetch(`${url}/health`)).status, 200);
    assert.deepEqual(cells.read('shed'), [{ labels: ['lag'], numbers: [1] }]);
    assert.deepEqual(cells.read('refusals'), [{ labels: ['overloaded'], numbers: [1] }]);
  });
});
