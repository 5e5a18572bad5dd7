import type { HeaderRules, Pool, Route, Table, Upstream } from '#core/table.ts';
import { SAMPLE_EJECTION } from './sample-checks.ts';

/** Plain samples for tests: an upstream, a route, a table, with whatever a test wants different. */

const NO_RULES: HeaderRules = { remove: [], set: [], add: [] };

export function sampleUpstream(changes: Partial<Upstream> = {}): Upstream {
  return {
    name: 'red',
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
    ...changes,
  };
}

export function sampleRoute(changes: Partial<Route> = {}): Route {
  return {
    name: 'default',
    match: { host: null, pathPrefix: '/', methods: null },
    pool: 'default',
    auth: null,
    limit: null,
    access: null,
    cors: null,
    retry: { attempts: 2, onStatus: [], nonIdempotent: false, bodyBufferBytes: 65_536 },
    timeouts: { connectMs: 1000, firstByteMs: 5000, idleMs: 5000, attemptMs: 10_000, requestMs: 20_000 },
    bodyBytesMax: null,
    bodyRateMin: 0,
    responseRateMin: 0,
    requestHeaders: NO_RULES,
    responseHeaders: NO_RULES,
    ...changes,
  };
}

export function samplePool(changes: Partial<Pool> = {}): Pool {
  return {
    name: 'default',
    strategy: { kind: 'round_robin' },
    upstreams: [sampleUpstream()],
    panicThreshold: 0.5,
    slowStartMs: 0,
    drainMs: 30_000,
    inFlight: null,
    outliers: { consecutive5xx: 5, consecutiveGatewayFailures: 5 },
    ejection: SAMPLE_EJECTION,
    healthCheck: null,
    slot: 0,
    ...changes,
  };
}

export function sampleTable(changes: Partial<Table> = {}): Table {
  return {
    revision: 1,
    routes: [sampleRoute()],
    pools: { default: samplePool() },
    headers: {
      requestId: 'X-Request-ID',
      responseTime: 'X-Response-Time',
      proxyBy: { name: 'X-Proxy-By', value: 'signalbox' },
      backend: 'X-Backend',
      via: 'signalbox',
      forwarded: false,
      passServer: false,
      identity: { userId: 'X-User-ID', userEmail: 'X-User-Email', userIssuer: 'X-User-Issuer' },
    },
    localDoor: { access: null, cors: null },
    healthBody: '{"status":"healthy"}',
    ...changes,
  };
}
