import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { AccessLog, WAITING_BYTES_MAX } from '#telemetry/access-log.ts';
import { sampleRecord } from '#test/support/sample-record.ts';
import { MONOTONIC_START_MS, VirtualClock, WALL_START_MS } from '#test/support/virtual-clock.ts';

function fileOf(t: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-access-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, name);
}

describe('the access log', () => {
  it('has a line for each request, in the names of the conventions', async (t) => {
    const file = fileOf(t, 'log');
    const fd = openSync(file, 'w');
    const log = new AccessLog(new VirtualClock(), fd);
    const startMs = MONOTONIC_START_MS;
    log.add(sampleRecord({ startMs, endMs: startMs + 12.3456 }));
    log.add(sampleRecord({ startMs, status: 503, cause: 'no_upstream', outcome: 'refused', attempts: [] }));
    await log[Symbol.asyncDispose]();
    const [first, second, rest] = readFileSync(file, 'utf8').split('\n');
    assert.deepEqual(JSON.parse(first ?? ''), {
      time: WALL_START_MS + 12,
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      'http.server.request.duration': 0.012346,
      'http.request.method': 'GET',
      'url.path': '/things/1',
      'url.scheme': 'http',
      'url.query': 'page=2',
      'http.route': 'default',
      'http.response.status_code': 200,
      'http.request.body.size': 0,
      'http.response.body.size': 5,
      'network.protocol.version': '1.1',
      'network.peer.address': '10.0.0.1',
      'client.address': '203.0.113.7',
      'server.address': 'example.com',
      'server.port': 8080,
      'user_agent.original': 'curl/8',
      'signalbox.outcome': 'responded',
      'signalbox.worker': 0,
      'signalbox.auth': 'bearer',
      'signalbox.identity': 'token:1',
      'signalbox.limit': 'passed',
      'signalbox.limit.remaining': 9,
      'signalbox.pool': 'default',
      'signalbox.upstream': 'red',
      'signalbox.attempts': 1,
    });
    assert.partialDeepStrictEqual(JSON.parse(second ?? ''), {
      'http.response.status_code': 503,
      'signalbox.refusal.cause': 'no_upstream',
      'error.type': 'no_upstream',
      'signalbox.attempts': 0,
    });
    assert.equal(rest, '');
  });

  it('drops, and counts, what nobody reads', async (t) => {
    const file = fileOf(t, 'pipe');
    assert.equal(spawnSync('mkfifo', [file]).status, 0);
    const fd = openSync(file, constants.O_RDWR | constants.O_NONBLOCK);
    const clock = new VirtualClock();
    const log = new AccessLog(clock, fd);
    const record = sampleRecord({ userAgent: 'x'.repeat(1000) });
    const lines = WAITING_BYTES_MAX / 1000;
    for (let nth = 0; nth < lines; nth++) log.add(record);
    assert.ok(log.dropped > 0 && log.dropped < lines, `${log.dropped} of ${lines}`);
    const ended = log[Symbol.asyncDispose]();
    clock.advance(1000);
    await ended;
  });

  it('costs nothing but its lines where it cannot be written', async () => {
    const clock = new VirtualClock();
    const log = new AccessLog(clock, openSync('/dev/full', 'w'));
    for (let nth = 0; nth < 10; nth++) log.add(sampleRecord());
    const ended = log[Symbol.asyncDispose]();
    clock.advance(1000);
    await ended;
  });
});
