import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Route } from '#core/table.ts';
import { load, UPSTREAMS } from '../support.ts';

const routesOf = (text: string): readonly Route[] => load(UPSTREAMS + text).table.routes;

function routeNamed(name: string, text: string): Route {
  return routesOf(text).find((route) => route.name === name) ?? assert.fail(`no route ${name}`);
}

describe('the routes of a table', () => {
  it('are one for everything when none are given', () => {
    const [route, ...others] = routesOf('');
    assert.deepEqual(others, []);
    assert.equal(route?.name, 'default');
    assert.equal(route?.pool, 'default');
    assert.deepEqual(route?.match, { host: null, pathPrefix: '/', methods: null });
    assert.deepEqual([route?.auth, route?.limit], [null, null]);
  });

  it('stand in the order of precedence', () => {
    const routes = routesOf(`routes:
  - {name: any}
  - {name: any-post, methods: [POST]}
  - {name: wildcard, host: '*.example.com'}
  - {name: narrow-wildcard, host: '*.api.example.com'}
  - {name: exact, host: Example.com}
  - {name: exact-api, host: example.com, path_prefix: /api}
  - {name: other, host: other.example}
  - {name: any-long, path_prefix: /long/path}
  - {name: any-get, methods: [GET]}
`);
    assert.deepEqual(
      routes.map(({ name }) => name),
      [
        'exact-api',
        'exact',
        'other',
        'narrow-wildcard',
        'wildcard',
        'any-long',
        'any-post',
        'any-get',
        'any',
      ],
    );
    assert.equal(routes[1]?.match.host, 'example.com');
  });

  it('have paths as requests are matched with, however these are written', () => {
    const prefixes = routesOf(
      'routes: [{path_prefix: /my%20docs}, {path_prefix: /é x}, {path_prefix: /%25}]\n',
    );
    assert.deepEqual(prefixes.map(({ match }) => match.pathPrefix).sort(), ['/%', '/my docs', '/é x']);
  });

  it('are named by their place in the file', () => {
    assert.deepEqual(
      routesOf('routes: [{}, {host: a}]\n').map(({ name }) => name),
      ['route-2', 'route-1'],
    );
  });
});

describe('a route', () => {
  const middleware = 'middleware: {auth: {valid_tokens: [t]}, rate_limit: {requests_per_minute: 60}}\n';

  it('inherits the middleware, changes it or does without', () => {
    const text = `${middleware}routes:
  - {name: inherits}
  - {name: open, host: open, auth: false, rate_limit: false}
  - {name: own, host: own, auth: {auth_type: api_key, valid_tokens: [k]}, rate_limit: {max_requests: 1, window_seconds: 2}}
  - {name: off, host: off, auth: {enabled: false}, rate_limit: {enabled: false}}
`;
    assert.equal(routeNamed('inherits', text).auth?.scheme, 'bearer');
    assert.equal(routeNamed('inherits', text).limit?.name, 'default');
    assert.equal(routeNamed('own', text).auth?.scheme, 'api_key');
    assert.deepEqual(routeNamed('own', text).limit?.quota, {
      kind: 'sliding_window',
      requests: 1,
      windowMs: 2000,
    });
    for (const name of ['open', 'off']) {
      assert.deepEqual([routeNamed(name, text).auth, routeNamed(name, text).limit], [null, null]);
    }
  });

  it('counts apart from all others when its limit is its own, whatever its name', () => {
    const text = `${middleware}routes: [{name: default, rate_limit: {requests_per_minute: 1}}, {host: a}]\n`;
    assert.deepEqual(
      routesOf(text).map(({ limit }) => limit?.name),
      ['default', 'route:default'],
    );
  });

  it('counts by user where it has authentication, else by address', () => {
    const text = `${middleware}routes: [{name: closed}, {name: open, host: a, auth: false}]\n`;
    assert.deepEqual(routeNamed('closed', text).limit?.key, [{ kind: 'user' }]);
    assert.deepEqual(routeNamed('open', text).limit?.key, [{ kind: 'client_ip' }]);
  });

  it('changes single numbers of retry and timeouts', () => {
    const text = `retry: {attempts: 3, on_status: [502]}
timeouts: {idle_ms: 7}
routes: [{name: a, retry: {on_status: []}, timeouts: {connect_ms: 5}}]
`;
    assert.deepEqual(routeNamed('a', text).retry, {
      attempts: 3,
      onStatus: [],
      nonIdempotent: false,
      bodyBufferBytes: 65_536,
    });
    assert.deepEqual(routeNamed('a', text).timeouts, {
      connectMs: 5,
      firstByteMs: 30_000,
      idleMs: 7,
      attemptMs: 60_000,
      requestMs: 120_000,
    });
  });

  it('has headers with variables of a request, and of the environment', () => {
    const text = `routes: [{name: a, response_headers: {add: {X-A: "\${ZONE}: %{upstream}", X-B: "%%{x}"}}}]\n`;
    const [route] = load(UPSTREAMS + text, { ZONE: 'eu' }).table.routes;
    assert.deepEqual(route?.responseHeaders.add, [
      ['X-A', ['eu: ', { variable: 'upstream' }]],
      ['X-B', '%{x}'],
    ]);
  });

  it('has the last word on headers', () => {
    const text = `headers:
  request: {remove: [Cookie], set: {X-A: general, X-B: general}, add: {X-C: general, X-D: general}}
routes:
  - {name: a, request_headers: {remove: [x-a, cookie], set: {x-c: own}, add: {X-D: own}}}
`;
    assert.deepEqual(routeNamed('a', text).requestHeaders, {
      remove: ['cookie', 'x-a'],
      set: [
        ['X-B', 'general'],
        ['x-c', 'own'],
      ],
      add: [
        ['X-D', 'general'],
        ['X-D', 'own'],
      ],
    });
  });
});
