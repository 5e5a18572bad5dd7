import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { matchRoute } from '#core/router.ts';
import type { RouteMatch } from '#core/table.ts';
import { sampleRoute } from '#test/support/sample-table.ts';

const ANY: RouteMatch = { host: null, pathPrefix: '/', methods: null };
const QUERY = { method: 'GET', path: '/', host: 'example.com' };

function matches(match: Partial<RouteMatch>, query: Partial<typeof QUERY>): boolean {
  return matchRoute([sampleRoute({ match: { ...ANY, ...match } })], { ...QUERY, ...query }) !== null;
}

describe('a path prefix', () => {
  it('matches whole segments', () => {
    const match = { pathPrefix: '/api' };
    for (const path of ['/api', '/api/', '/api/x', '/api/x/y']) assert.ok(matches(match, { path }), path);
    for (const path of ['/', '/ap', '/apix', '/api.x', '/api;x', '/x/api', '/API'])
      assert.ok(!matches(match, { path }), path);
  });

  it('with a slash at its end matches what is below', () => {
    assert.ok(matches({ pathPrefix: '/api/' }, { path: '/api/x' }));
    assert.ok(matches({ pathPrefix: '/api/' }, { path: '/api/' }));
    assert.ok(!matches({ pathPrefix: '/api/' }, { path: '/api' }));
  });

  it('is told apart from one with the same hash', () => {
    const [one, other] = ['/1odbu4', '/qibyf'].map((pathPrefix) =>
      sampleRoute({ match: { ...ANY, pathPrefix } }),
    );
    assert.ok(one !== undefined && other !== undefined);
    for (const routes of [[one], [one, other]]) {
      assert.equal(matchRoute(routes, { ...QUERY, path: '/1odbu4/x' }), one);
      assert.equal(matchRoute(routes, { ...QUERY, path: '/qibyf/x' }), routes[1] ?? null);
    }
  });

  it('of / matches everything', () => {
    for (const path of ['/', '/x', '/x/y']) assert.ok(matches({}, { path }));
  });
});

describe('a host', () => {
  it('is compared without case, port and final dot', () => {
    const match = { host: 'example.com' };
    for (const host of ['example.com', 'EXAMPLE.com', 'example.com:8080', 'example.com.', 'Example.Com.:80'])
      assert.ok(matches(match, { host }), host);
    for (const host of [
      '',
      'example.org',
      'xexample.com',
      'a.example.com',
      'example.com.evil.test',
      'example.com..',
    ])
      assert.ok(!matches(match, { host }), host);
  });

  it('may be an IPv6 address', () => {
    for (const host of ['[::1]', '[::1]:8080']) assert.ok(matches({ host: '[::1]' }, { host }), host);
    assert.ok(!matches({ host: '[::1]' }, { host: '[::2]:8080' }));
  });

  it('with a wildcard stands for one or more labels before it', () => {
    const match = { host: '*.example.com' };
    for (const host of ['a.example.com', 'a.b.EXAMPLE.com:80', 'a.example.com.'])
      assert.ok(matches(match, { host }), host);
    // `.example.com`, a label that is empty, used to match.
    for (const host of [
      'example.com',
      '.example.com',
      'aexample.com',
      'a.example.com.evil.test',
      '*.example.org',
    ])
      assert.ok(!matches(match, { host }), host);
  });
});

describe('methods', () => {
  it('are those listed, or all', () => {
    assert.ok(matches({ methods: ['GET', 'POST'] }, { method: 'POST' }));
    assert.ok(!matches({ methods: ['GET', 'POST'] }, { method: 'DELETE' }));
    assert.ok(matches({ methods: null }, { method: 'BREW' }));
  });
});

describe('of several routes', () => {
  const routes = [
    sampleRoute({ name: 'first', match: { ...ANY, pathPrefix: '/a', methods: ['POST'] } }),
    sampleRoute({ name: 'second', match: { ...ANY, pathPrefix: '/a/b' } }),
    sampleRoute({ name: 'third', match: { ...ANY, pathPrefix: '/a' } }),
  ];
  const routed = (method: string, path: string) => matchRoute(routes, { ...QUERY, method, path })?.name;

  it('the first that matches is taken', () => {
    assert.equal(routed('POST', '/a/b'), 'first');
    assert.equal(routed('GET', '/a/b'), 'second');
    assert.equal(routed('GET', '/a/c'), 'third');
    assert.equal(routed('GET', '/b'), undefined);
    assert.equal(matchRoute([], QUERY), null);
  });
});

const segment = fc.constantFrom('a', 'b', 'ab', '');
const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
const label = fc.constantFrom('a', 'b', 'c');
const domain = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
const method = fc.constantFrom('GET', 'POST');

const match: fc.Arbitrary<RouteMatch> = fc.record({
  pathPrefix: path,
  host: fc.option(
    fc.oneof(
      domain,
      domain.map((parent) => `*.${parent}`),
    ),
  ),
  methods: fc.option(fc.array(method, { minLength: 1, maxLength: 2 })),
});

const query = fc.record({ path, host: fc.oneof(domain, fc.constantFrom('', '.a', 'a..b')), method });

/** What a route says, by itself. */
function isMeant({ pathPrefix, host, methods }: RouteMatch, asked: typeof QUERY): boolean {
  const below = pathPrefix.endsWith('/') ? pathPrefix : `${pathPrefix}/`;
  const isBelow = asked.path === pathPrefix || asked.path.startsWith(below);
  const isHost =
    host === null ||
    asked.host === host ||
    (host.startsWith('*.') && asked.host.length >= host.length && asked.host.endsWith(host.slice(1)));
  return isBelow && isHost && (methods === null || methods.includes(asked.method));
}

describe('many routes', () => {
  it('lead to the first that matches, however they are found', () => {
    fc.assert(
      fc.property(fc.array(match, { maxLength: 30 }), query, (matches, asked) => {
        const routes = matches.map((it, index) => sampleRoute({ name: `${index}`, match: it }));
        const meant = routes.find((route) => isMeant(route.match, asked));
        assert.equal(matchRoute(routes, asked)?.name, meant?.name);
      }),
      { seed: 1, numRuns: 3000 },
    );
  });
});
