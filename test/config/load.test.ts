import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigError, formatDiagnostics } from '#config/diagnostics.ts';
import { loadConfig } from '#config/load.ts';
import { load, mistakesIn, UPSTREAMS, writeBeside } from './support.ts';

const fixture = (name: string) => `${import.meta.dirname}/fixtures/${name}`;

describe('loadConfig', () => {
  it('loads a config with static tokens as its README has it', () => {
    const { settings, table, warnings } = loadConfig(fixture('static-tokens.yaml'), {});
    assert.deepEqual(warnings, []);
    assert.equal(settings.server.port, 8080);
    assert.equal(settings.server.maxConnections, 1000);
    assert.equal(table.revision, 1);
    assert.deepEqual(table.pools['default'], {
      name: 'default',
      slot: 0,
      strategy: { kind: 'round_robin' },
      inFlight: null,
      panicThreshold: 0.5,
      slowStartMs: 0,
      drainMs: 30_000,
      outliers: { consecutive5xx: 5, consecutiveGatewayFailures: 5 },
      ejection: { baseMs: 30_000, maxMs: 300_000, shareMax: 0.1 },
      healthCheck: null,
      upstreams: [
        {
          name: 'backend1',
          pool: 'default',
          address: '127.0.0.1',
          port: 3000,
          weight: 1,
          slot: 0,
          tls: null,
          protocol: 'http/1.1',
          inFlightMax: null,
          host: { kind: 'client' },
          state: 'ready',
          drainMs: 30_000,
        },
      ],
    });
    const [route] = table.routes;
    assert.equal(table.routes.length, 1);
    assert.equal(route?.name, 'default');
    assert.equal(route?.auth?.scheme, 'bearer');
    assert.equal(route?.auth?.tokenDigests.length, 2);
    assert.deepEqual(route?.limit, {
      name: 'default',
      key: [{ kind: 'user' }],
      quota: { kind: 'gcra', requests: 100, windowMs: 60_000, burst: 10 },
      tiers: [],
      isShared: true,
    });
    assert.equal(table.healthBody, '{"status":"healthy"}');
  });

  it('loads a config with JWT as its README has it', () => {
    const { settings, table, warnings } = loadConfig(fixture('jwt.yaml'), {});
    assert.deepEqual(warnings, []);
    assert.equal(table.healthBody, '{"status":"ok","service":"signalbox"}');
    assert.equal(table.routes[0]?.auth?.scheme, 'jwt');
    assert.equal(settings.jwt?.accessTokenSeconds, 900);
  });

  it('accepts a redis section with one warning, which does not show its password', () => {
    const { warnings } = load(`${UPSTREAMS}redis:\n  url: redis://:hunter2@localhost\n  pool_size: 10\n`);
    assert.equal(warnings.length, 1);
    assert.match(
      formatDiagnostics(warnings),
      /:2:1: warning: redis: has no effect: Signalbox needs no Redis/,
    );
    assert.doesNotMatch(formatDiagnostics(warnings), /hunter2/);
  });

  it('warns of a pool that no route leads to', () => {
    const { warnings } = load(`${UPSTREAMS}pools:\n  spare: {upstreams: [{url: 'http://spare:1'}]}\n`);
    assert.match(formatDiagnostics(warnings), /:3:3: warning: pools\.spare: no route leads to this pool$/);
  });

  it('reads JSON, tabs and all', () => {
    const { table } = load('{\n\t"load_balancing": {\n\t\t"upstreams": [{"url": "http://a:1"}]\n\t}\n}\n');
    assert.equal(table.pools['default']?.upstreams[0]?.name, 'a:1');
  });

  it('takes aliases for what they stand for', () => {
    const { table } = load(
      'pools: {a: &pool {upstreams: [{url: "http://a:1"}]}, b: *pool}\nroutes: [{pool: a}, {pool: b, host: b}]\n',
    );
    assert.deepEqual(table.pools['b']?.upstreams[0]?.address, 'a');
  });

  it('tells every mistake at once, in the order of the file, those between sections too', () => {
    const text = `server:
  listen_port: 0
  listen_adress: 127.0.0.1
load_balancing:
  strategy: leest_conn
  upstreams:
    - {name: a, address: 127.0.0.1, port: 1.5, weight: 0}
    - {name: a, url: 'http://\${UPSTREAM}'}
    - {address: 127.0.0.1}
middleware:
  auth: {auth_type: basic}
  rate_limit: {requests_per_minute: 10, window_seconds: 1}
routes:
  - {pool: nowhere}
  - {path_prefix: /}
server: {}
`;
    const paths = mistakesIn(text).map((mistake) => mistake.split(': ', 2).join(': '));
    assert.deepEqual(paths, [
      '2:16: server.listen_port',
      '3:3: server',
      '5:13: load_balancing.strategy',
      '7:43: load_balancing.upstreams[0].port',
      '7:56: load_balancing.upstreams[0].weight',
      '8:14: load_balancing.upstreams[1].name',
      '8:22: load_balancing.upstreams[1].url',
      '9:7: load_balancing.upstreams[2]',
      '11:3: middleware.auth',
      '12:57: middleware.rate_limit.window_seconds',
      '14:12: routes[0].pool',
      '15:5: routes[1]',
      '16:1: server',
    ]);
  });

  it('says what an empty file lacks', () => {
    assert.deepEqual(mistakesIn(''), ['1:1: `load_balancing` is missing: it lists the `upstreams`']);
    assert.deepEqual(mistakesIn('# soon\n'), ['1:1: `load_balancing` is missing: it lists the `upstreams`']);
  });
});

describe('a file that cannot be used', () => {
  const problemWith = (file: string) => {
    try {
      loadConfig(file, {});
    } catch (error) {
      if (error instanceof ConfigError) return error.message.replace(file, 'FILE');
    }
    return assert.fail('it was used');
  };

  it('is not there', () => {
    assert.equal(problemWith(fixture('none.yaml')), 'FILE: cannot use this file: there is no such file');
  });

  it('is a folder', () => {
    assert.equal(problemWith(fixture('.')), 'FILE: cannot use this file: it is a folder, not a file');
  });

  it('is too long', () => {
    const file = writeBeside('long.yaml', `${UPSTREAMS}#${' '.repeat(1_048_576)}`);
    assert.equal(problemWith(file), 'FILE: cannot use this file: it is longer than 1048576 bytes');
    assert.match(problemWith('/dev/zero'), /longer than/);
  });

  it('is not UTF-8', () => {
    const file = writeBeside('latin1.yaml', Uint8Array.of(0x61, 0x3a, 0x20, 0xe4));
    assert.equal(problemWith(file), 'FILE: cannot use this file: it is not UTF-8');
  });
});
