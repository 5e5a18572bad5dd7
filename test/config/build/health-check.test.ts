import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from '../support.ts';

/** `text` is the pool in YAML, but for its upstreams. */
function poolOf(text: string) {
  const pool = load(`load_balancing: {${text}upstreams: [{url: "http://a"}]}\n`).table.pools['default'];
  return pool ?? assert.fail('no pool');
}

const checkOf = (text: string) => poolOf(`health_check: ${text}, `).healthCheck;

describe('a health check', () => {
  it('is none unless there is one', () => {
    assert.equal(poolOf('').healthCheck, null);
    assert.equal(checkOf('{type: none}'), null);
  });

  it('is of connections by default, once a second', () => {
    assert.deepEqual(checkOf('{}'), {
      probe: { kind: 'tcp' },
      port: null,
      pace: { intervalMs: 1000, timeoutMs: 1000, jitter: 0.1 },
      thresholds: { healthy: 1, unhealthy: 2 },
      isUpAtFirst: false,
    });
  });

  it('asks gRPC servers for a service, or for the whole', () => {
    assert.deepEqual(checkOf('{type: grpc}')?.probe, { kind: 'grpc', service: '' });
    assert.deepEqual(checkOf('{type: grpc, service: shop.Cart}')?.probe, {
      kind: 'grpc',
      service: 'shop.Cart',
    });
  });

  it('asks for what it is told, and knows what it expects', () => {
    const text =
      '{type: http, method: HEAD, path: "/up?x=1", port: 9000, headers: {X-Probe: "1"}, expected_status: [204, 300-399]}';
    const check = checkOf(text);
    assert.equal(check?.port, 9000);
    assert.deepEqual(check?.probe, {
      kind: 'http',
      method: 'HEAD',
      path: '/up?x=1',
      headers: [['X-Probe', '1']],
      expected: {
        statuses: [
          [204, 204],
          [300, 399],
        ],
        text: null,
      },
    });
    assert.deepEqual(checkOf('{type: http, expected_status: 200, body: ready}')?.probe, {
      kind: 'http',
      method: 'GET',
      path: '/',
      headers: [],
      expected: { statuses: [[200, 200]], text: 'ready' },
    });
  });

  it('takes the interval for a timeout where that is shorter', () => {
    assert.equal(checkOf('{interval_ms: 200}')?.pace.timeoutMs, 200);
    assert.equal(checkOf('{interval_ms: 9000}')?.pace.timeoutMs, 1000);
    assert.equal(checkOf('{interval_ms: 9000, timeout_ms: 9000}')?.pace.timeoutMs, 9000);
  });

  it('lets upstreams serve at first where it is said', () => {
    assert.equal(checkOf('{initial: up}')?.isUpAtFirst, true);
  });
});

describe('ejection', () => {
  it('has the times and shares of Envoy, or others', () => {
    assert.deepEqual(poolOf('').ejection, { baseMs: 30_000, maxMs: 300_000, shareMax: 0.1 });
    const text =
      'outlier_detection: {base_ejection_ms: 5000, max_ejection_ms: 5000, max_ejection_percent: 50}, ';
    assert.deepEqual(poolOf(text).ejection, { baseMs: 5000, maxMs: 5000, shareMax: 0.5 });
  });
});
