import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { beforeEach, describe, it } from 'node:test';
import type { AdminAnswer } from '#admin/api.ts';
import { requestsRoutes } from '#admin/requests.ts';
import type { RecordedOutcome } from '#core/request-record.ts';
import { RequestRecords } from '#shared/records/request-records.ts';
import type { RecordWriter } from '#shared/records/writer.ts';
import { RequestLookup } from '#telemetry/request-lookup.ts';
import { beginSample, sampleRecord, spanIdWords } from '#test/support/sample-record.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { VirtualClock, WALL_START_MS } from '#test/support/virtual-clock.ts';

const STATES = ['seeking.forwarding', 'responding', 'responded'];

let clock: VirtualClock;
let writers: RecordWriter[];
let ask: (path: string) => Promise<AdminAnswer>;

beforeEach(() => {
  clock = new VirtualClock();
  const records = RequestRecords.create({ workers: 2, kept: 8, inFlight: 8 });
  writers = [records.writer(0), records.writer(1)];
  const requests = new RequestLookup(records.readers(STATES));
  const routes = requestsRoutes({ requests, traceUrl: 'http://jaeger/trace/{trace_id}', clock });
  ask = async (path) => {
    const { pathname, searchParams: query } = new URL(path, 'http://admin');
    const name = pathname.split('/')[3] ?? '';
    const handler = routes.get(name === '' ? 'GET /api/requests' : 'GET /api/requests/*');
    assert.ok(handler);
    return handler({ query, name, headers: {}, body: Readable.from([]) });
  };
});

function idOf(nth: number): string {
  return nth.toString(16).padStart(32, '0');
}

/** Serves request number `nth` in 5 ms; one without a status is under way. */
function serve(nth: number, status = 200, outcome: RecordedOutcome = 'responded', isSampled = true): void {
  const writer = writers[nth % 2] as RecordWriter;
  const record = beginSample(writer, clock.monotonicMs(), { traceId: idOf(nth), isSampled });
  writer.head(record, { ...sampleRecord({ target: `/${nth}` }), tls: null }, 'curl/8', 'default');
  writer.entered(record, 0, clock.monotonicMs());
  writer.attemptBegun(record, sampleUpstream(), spanIdWords(), clock.monotonicMs());
  clock.advance(4);
  if (status === 0) return;
  writer.attemptAnswered(record, status, clock.monotonicMs());
  writer.entered(record, 1, clock.monotonicMs());
  clock.advance(1);
  writer.entered(record, 2, clock.monotonicMs());
  writer.end(record, outcome, status, clock.monotonicMs());
}

async function listed(query = ''): Promise<{ id: string; [key: string]: unknown }[]> {
  const { status, body } = await ask(`/api/requests${query}`);
  assert.equal(status, 200);
  return JSON.parse(body).requests;
}

describe('the list of requests', () => {
  it('begins with the latest, whichever worker served it', async () => {
    for (const nth of [1, 2, 3]) serve(nth);
    const [latest, ...others] = await listed();
    assert.deepEqual(latest, {
      id: idOf(3),
      worker: 1,
      started_at_ms: WALL_START_MS + 10,
      duration_ms: 5,
      method: 'GET',
      target: '/3',
      route: 'default',
      status: 200,
      outcome: 'responded',
      cause: null,
      attempts: 1,
      upstream: 'red',
    });
    assert.deepEqual(
      others.map(({ id }) => id),
      [idOf(2), idOf(1)],
    );
  });

  it('can be narrowed to a status, a class of them, or what is under way', async () => {
    serve(1);
    serve(2, 404);
    serve(3, 503);
    serve(4, 500);
    serve(5, 0);
    const ids = async (query: string) => (await listed(query)).map(({ id }) => Number(`0x${id}`));
    assert.deepEqual(await ids('?status=5xx'), [4, 3]);
    assert.deepEqual(await ids('?status=404'), [2]);
    assert.deepEqual(await ids('?status=open'), [5]);
    assert.deepEqual(await ids('?status=5xx&limit=1'), [4]);
  });

  it('says what it does not understand', async () => {
    for (const query of ['?status=6xx', '?status=ok', '?limit=0', '?limit=many', '?limit=1001']) {
      const { status, body } = await ask(`/api/requests${query}`);
      assert.equal(status, 400, query);
      assert.match(JSON.parse(body).error, /^(status|limit): expected /);
    }
  });
});

describe('one request', () => {
  it('is told state by state', async () => {
    serve(7);
    const { status, body } = await ask(`/api/requests/${idOf(7)}`);
    assert.equal(status, 200);
    const [request] = JSON.parse(body).requests;
    assert.deepEqual(request.states, [
      { state: 'seeking.forwarding', at_ms: 0, duration_ms: 4 },
      { state: 'responding', at_ms: 4, duration_ms: 1 },
      { state: 'responded', at_ms: 5, duration_ms: 0 },
    ]);
    assert.deepEqual(request.attempts, [
      {
        pool: 'default',
        upstream: 'red',
        scheme: 'http',
        address: '127.0.0.1',
        port: 3000,
        span_id: 'b7ad6b7169203331',
        at_ms: 0,
        duration_ms: 4,
        status: 200,
        error: null,
      },
    ]);
    assert.equal(request.trace.url, `http://jaeger/trace/${idOf(7)}`);
  });

  it('that is under way is told as far as it has come', async () => {
    serve(7, 0);
    clock.advance(96);
    const [request] = JSON.parse((await ask(`/api/requests/${idOf(7)}`)).body).requests;
    assert.deepEqual([request.outcome, request.duration_ms], ['open', 100]);
    assert.deepEqual(request.states, [{ state: 'seeking.forwarding', at_ms: 0, duration_ms: 100 }]);
    assert.equal(request.attempts[0].duration_ms, 100);
  });

  it('may be several of one trace', async () => {
    serve(7);
    serve(7);
    serve(8);
    const { requests } = JSON.parse((await ask(`/api/requests/${idOf(7)}`)).body);
    assert.deepEqual(
      requests.map(({ started_at_ms }: { started_at_ms: number }) => started_at_ms - WALL_START_MS),
      [0, 5],
    );
  });

  it('has no link to a trace that nobody has', async () => {
    serve(7, 200, 'responded', false);
    const [request] = JSON.parse((await ask(`/api/requests/${idOf(7)}`)).body).requests;
    assert.equal(request.trace.url, null);
  });

  it('that is not remembered is no mistake of ours', async () => {
    for (const id of [idOf(9), 'nonsense', '%00']) {
      const { status, body } = await ask(`/api/requests/${id}`);
      assert.equal(status, 404);
      assert.match(JSON.parse(body).error, /^no such request is remembered here/);
    }
  });
});
