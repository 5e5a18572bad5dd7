import assert from 'node:assert/strict';
import { availableParallelism, totalmem } from 'node:os';
import { describe, it } from 'node:test';
import { load, UPSTREAMS } from '../support.ts';

describe('the settings of an instance', () => {
  it('have the documented defaults', () => {
    const { settings } = load(UPSTREAMS);
    assert.deepEqual(settings, {
      instance: { id: settings.instance.id, cluster: 'default', observers: 5 },
      bus: null,
      server: {
        address: '0.0.0.0',
        port: 8080,
        workers: Math.min(64, availableParallelism()),
        maxConnections: 20_000,
        connectionsPerClientMax: 16_000,
        bufferedBytesMax: totalmem() / 4,
        overload: { lagMs: 250 },
        trustedProxies: [],
        proxyProtocol: false,
        keepAliveMs: 75_000,
        headMs: 10_000,
        headBytesMax: 16_384,
        headerCountMax: 256,
        targetBytesMax: 8_192,
        rateWindowMs: 10_000,
        requestsPerConnectionMax: 10_000,
        tls: null,
      },
      admin: { address: '127.0.0.1', port: 9901, token: null },
      limits: { keysMax: 65_536, ipv6PrefixBits: 64 },
      upstreamConnections: {
        transport: 'h1',
        connectionsMax: 1024,
        keepAliveMs: 4_000,
        responseHeadBytesMax: 65_536,
        responseHeaderCountMax: 1024,
      },
      dnsServers: [],
      shutdown: { lameDuckMs: 0, graceMs: 30_000 },
      metrics: { enabled: true, listener: 'admin', endpoint: '/metrics' },
      actors: { runtime: 'compiled' },
      log: { level: 'info', access: false },
      telemetry: {
        requestsKept: 1000,
        slowMs: 1000,
        trustIncoming: 'trusted_proxies',
        sampler: null,
        traceUrl: null,
        resource: { 'service.name': 'signalbox' },
      },
      traces: null,
      jwt: null,
      accounts: {
        isRegisterRevealing: true,
        password: { lengthMin: 8, mustMix: true, commonPasswords: [] },
        throttle: { attemptsMax: 5, attemptsPerIpMax: 50, delayMsMax: 300_000, forgetMs: 3_600_000 },
      },
      database: { kind: 'sqlite', file: 'data/accounts.db' },
    });
  });

  it('take an IPv6 address for the admin API without its brackets', () => {
    const { admin } = load(`${UPSTREAMS}admin: {listen: '[::1]:9000'}\n`).settings;
    assert.deepEqual(admin, { address: '::1', port: 9000, token: null });
  });

  it('take a number of workers', () => {
    assert.equal(load(`${UPSTREAMS}server: {workers: 3}\n`).settings.server.workers, 3);
  });
});

describe('the header names of a table', () => {
  it('have the documented defaults', () => {
    assert.deepEqual(load(UPSTREAMS).table.headers, {
      requestId: 'X-Request-ID',
      responseTime: 'X-Response-Time',
      proxyBy: { name: 'X-Proxy-By', value: 'signalbox' },
      backend: 'X-Backend',
      via: 'signalbox',
      forwarded: false,
      passServer: false,
      identity: { userId: 'X-User-ID', userEmail: 'X-User-Email', userIssuer: 'X-User-Issuer' },
    });
  });

  it('can all be turned off, or put otherwise', () => {
    const names = ['request_id', 'response_time', 'proxy_by', 'backend', 'via'];
    names.push('user_id', 'user_email', 'user_issuer');
    const off = `{${names.map((name) => `${name}: false`).join()}}`;
    assert.deepEqual(load(`${UPSTREAMS}headers: ${off}\n`).table.headers, {
      requestId: null,
      responseTime: null,
      proxyBy: null,
      backend: null,
      via: null,
      forwarded: false,
      passServer: false,
      identity: { userId: null, userEmail: null, userIssuer: null },
    });
    const { headers } = load(
      `${UPSTREAMS}headers: {proxy_by: {name: X-Proxy}, server: pass, forwarded: true}\n`,
    ).table;
    assert.deepEqual(headers.proxyBy, { name: 'X-Proxy', value: 'signalbox' });
    assert.deepEqual([headers.passServer, headers.forwarded], [true, true]);
  });
});

describe('the body of /health', () => {
  it('is what the file says', () => {
    assert.equal(load(`${UPSTREAMS}health: {body: '{"up":true}'}\n`).table.healthBody, '{"up":true}');
  });
});
