import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fields } from '#core/fields.ts';
import { authority, type ForwardedRequest, forwardHeaders, forwardTrailers } from '#core/forward-headers.ts';
import { headerList, headerValue } from '#core/headers.ts';
import type { IdentityClaims } from '#core/jwt/claims.ts';
import type { HeaderNames, Route, Upstream } from '#core/table.ts';
import { authOf } from '#test/support/auth.ts';
import { sampleRoute, sampleTable, sampleUpstream } from '#test/support/sample-table.ts';

const IDS = {
  requestId: '0af7651916cd43dd8448eb211c80319c',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: null,
};
const NAMES = sampleTable().headers;
const ALL_OFF: HeaderNames = {
  requestId: null,
  responseTime: null,
  proxyBy: null,
  backend: null,
  via: null,
  forwarded: false,
  passServer: false,
  identity: { userId: null, userEmail: null, userIssuer: null },
};

type Scene = {
  headers?: readonly string[];
  request?: Partial<ForwardedRequest>;
  route?: Partial<Route>;
  names?: Partial<HeaderNames>;
  upstream?: Partial<Upstream>;
  claims?: IdentityClaims;
};

function forwarded({ headers = [], request, route, names, upstream, claims }: Scene): string[] {
  const from: ForwardedRequest = {
    method: 'GET',
    headers: Fields.of(headers),
    host: 'example.com',
    scheme: 'http',
    protocol: '1.1',
    tls: null,
    clientAddress: '203.0.113.9',
    peerAddress: '203.0.113.9',
    peerTrusted: false,
    ...request,
  };
  const scene = [sampleRoute(route), { ...NAMES, ...names }, sampleUpstream(upstream)] as const;
  const facts = { ...IDS, claims: claims ?? null };
  const first = forwardHeaders(from, ...scene, facts);
  assert.ok(first.isSound);
  // What was found out for one request holds for the next one, and for nobody else.
  forwardHeaders({ ...from, peerTrusted: !from.peerTrusted }, ...scene, facts);
  assert.deepEqual(forwardHeaders(from, ...scene, facts), first);
  return first.flat();
}

/** Of a request through a proxy that says nothing of itself, only what the client said. */
function passed(headers: readonly string[]): string[] {
  const all = forwarded({ headers, names: ALL_OFF });
  const end = all.indexOf('X-Forwarded-Proto');
  return all.slice(2, end);
}

describe('what a client sends', () => {
  it('reaches the upstream in order, with its case and its duplicates', () => {
    const headers = ['x-B', '1', 'X-a', '2', 'X-B', '', 'Accept', '*/*', 'x-b', '1'];
    assert.deepEqual(passed(headers), headers);
  });

  it('does not pass where it is meant for this hop', () => {
    const headers = ['TE', 'trailers', 'Connection', 'close, X-Secret', 'Upgrade', 'h2c', 'x-secret', 'y'];
    headers.push('Transfer-Encoding', 'chunked', 'Keep-Alive', 'timeout=5', 'Proxy-Authorization', 'Basic x');
    headers.push('Expect', '100-continue', 'Proxy-Connection', 'keep-alive');
    assert.deepEqual(passed([...headers, 'X-Kept', 'z']), ['X-Kept', 'z']);
  });

  it('passes or not by who says it', () => {
    const headers = ['X-Forwarded-Port', '1'];
    for (const peerTrusted of [true, false])
      assert.equal(
        forwarded({ headers, request: { peerTrusted } }).includes('X-Forwarded-Port'),
        peerTrusted,
      );
  });

  it('cannot be taken away from behind: what Connection may not name', () => {
    const kept = ['Authorization', 'Bearer t', 'Cookie', 'a=b', 'Content-Length', '3', 'Content-Type', 'x/y'];
    const names =
      'authorization, COOKIE, content-length, content-type, host, x-forwarded-for, x-forwarded-proto, via';
    const ours = 'x-request-id, x-proxy-by, traceparent, x-user-id';
    const claims = { iss: 'signalbox', sub: 'ann', email: null };
    const headers = forwarded({ headers: [...kept, 'Connection', `${names}, ${ours}`], claims });
    for (let at = 0; at < kept.length; at += 2)
      assert.equal(headerValue(headers, `${kept[at]}`.toLowerCase()), kept[at + 1]);
    assert.equal(headerValue(headers, 'host'), 'example.com');
    assert.equal(headerValue(headers, 'x-forwarded-for'), '203.0.113.9');
    assert.equal(headerValue(headers, 'via'), '1.1 signalbox');
    assert.equal(headerValue(headers, 'x-forwarded-proto'), 'http');
    assert.equal(headerValue(headers, 'x-request-id'), IDS.requestId);
    assert.equal(headerValue(headers, 'x-proxy-by'), 'signalbox');
    assert.equal(headerValue(headers, 'x-user-id'), 'ann');
    assert.ok(headerValue(headers, 'traceparent') !== null);
  });

  it('passes exactly where nothing forbids it, for any headers', () => {
    const name = fc.constantFrom('X-A', 'x-a', 'X-B', 'Cookie', 'TE', 'Upgrade', 'Connection', 'Keep-Alive');
    const value = fc.constantFrom('x-a', 'X-B , close', 'cookie', 'te', '', 'upgrade,,x-a');
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (headers) => {
        const named = headers
          .filter(([name]) => name === 'Connection')
          .flatMap(([, list]) => list.split(',').map((one) => one.trim().toLowerCase()));
        const may = ([name]: readonly string[]) =>
          ['X-A', 'x-a', 'X-B'].includes(`${name}`)
            ? !named.includes(`${name}`.toLowerCase())
            : name === 'Cookie';
        assert.deepEqual(passed(headers.flat()), headers.filter(may).flat());
      }),
      { seed: 2 },
    );
  });

  it('takes no longer to filter than to read, whatever Connection names', () => {
    // Each name used to be compared with each header: 16 KiB of head cost 22 ms. CPU time: others may be at work, too.
    const names = Array.from({ length: 100_000 }, (_, number) => number.toString(36));
    const headers = ['Connection', names.join()];
    for (let number = 0; number < 2000; number++) headers.push(`x${number}`, '');
    const before = process.threadCpuUsage();
    forwarded({ headers });
    const { user } = process.threadCpuUsage(before);
    assert.ok(user < 500_000, `${user} us`);
  });
});

describe('who the request came from', () => {
  const claims = [
    'X-Forwarded-For',
    '6.6.6.6',
    'X-Forwarded-Proto',
    'https',
    'x-forwarded-HOST',
    'evil.test',
  ];

  it('is what we saw, when anyone tells us', () => {
    const headers = forwarded({ headers: [...claims, 'Forwarded', 'for=6.6.6.6'] });
    assert.equal(headerList(headers, 'x-forwarded-for'), '203.0.113.9');
    assert.equal(headerList(headers, 'x-forwarded-proto'), 'http');
    assert.equal(headerList(headers, 'x-forwarded-host'), 'example.com');
    assert.equal(headerList(headers, 'forwarded'), null);
  });

  it('is what a trusted peer says, and the peer', () => {
    const headers = forwarded({ headers: claims, request: { peerTrusted: true } });
    assert.equal(headerList(headers, 'x-forwarded-for'), '6.6.6.6, 203.0.113.9');
    assert.equal(headerList(headers, 'x-forwarded-proto'), 'https');
    assert.equal(headerList(headers, 'x-forwarded-host'), 'evil.test');
  });

  it('is one list, however many lines a trusted peer wrote, empty ones too', () => {
    const lines = ['X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2,3.3.3.3'];
    assert.equal(
      headerList(forwarded({ headers: lines, request: { peerTrusted: true } }), 'x-forwarded-for'),
      '1.1.1.1, 2.2.2.2,3.3.3.3, 203.0.113.9',
    );
    assert.equal(
      headerList(
        forwarded({ headers: ['X-Forwarded-For', ''], request: { peerTrusted: true } }),
        'x-forwarded-for',
      ),
      '203.0.113.9',
    );
  });

  it('takes other X-Forwarded headers from a trusted peer only', () => {
    const headers = ['X-Forwarded-Port', '443', 'X-Forwarded-Prefix', '/admin', 'X-Forwarded-User', 'root'];
    const from = (peerTrusted: boolean) => forwarded({ headers, request: { peerTrusted } });
    for (const name of ['x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-user']) {
      assert.equal(headerValue(from(false), name), null);
      assert.ok(headerValue(from(true), name) !== null);
    }
  });

  it('cannot be forged with underscores, which some upstreams read as dashes', () => {
    const headers = [
      'X_Forwarded_For',
      '6.6.6.6',
      'x_forwarded-proto',
      'https',
      'Transfer_Encoding',
      'chunked',
    ];
    headers.push('X_Other', 'stays');
    headers.push('Content_Length', '7');
    const sent = forwarded({ headers });
    assert.equal(sent.filter((text) => text.includes('_')).join(), 'X_Other');
  });

  it('cannot be forged through a trusted peer either, which writes dashes', () => {
    // A peer that replaces X-Forwarded-User passed on what a client had sent as X_Forwarded_User.
    const headers = ['X-Forwarded-User', 'ann', 'X_Forwarded_User', 'root', 'x_forwarded-port', '443'];
    const sent = forwarded({ headers, request: { peerTrusted: true } });
    assert.equal(headerList(sent, 'x-forwarded-user'), 'ann');
    assert.deepEqual(
      sent.filter((text) => text.includes('_')),
      [],
    );
  });

  it('is told in the standard form too where that is turned on', () => {
    const element = (request: Partial<ForwardedRequest>, headers: string[] = []) =>
      headerList(forwarded({ headers, request, names: { forwarded: true } }), 'forwarded');
    assert.equal(element({}), 'for=203.0.113.9;host="example.com";proto=http');
    assert.equal(
      element({ peerAddress: '2001:db8::1', host: '[::1]:80' }),
      'for="[2001:db8::1]";host="[::1]:80";proto=http',
    );
    assert.equal(element({ host: 'a"b\\c' }), 'for=203.0.113.9;host="a\\"b\\\\c";proto=http');
    assert.equal(element({ host: '' }), 'for=203.0.113.9;proto=http');
    assert.equal(element({}, ['Forwarded', 'for=6.6.6.6']), 'for=203.0.113.9;host="example.com";proto=http');
    assert.equal(
      element({ peerTrusted: true }, ['Forwarded', 'for=1.2.3.4']),
      'for=1.2.3.4, for=203.0.113.9;host="example.com";proto=http',
    );
  });
});

describe('what Signalbox says for itself', () => {
  it('comes once, whatever the client sent under these names', () => {
    const headers = [
      'x-request-id',
      'mine',
      'X-Proxy-By',
      'me',
      'traceparent',
      '00-1-2-01',
      'tracestate',
      'a=b',
    ];
    const sent = forwarded({ headers });
    assert.equal(headerList(sent, 'x-request-id'), IDS.requestId);
    assert.equal(headerList(sent, 'x-proxy-by'), 'signalbox');
    assert.equal(headerList(sent, 'traceparent'), IDS.traceparent);
    assert.equal(headerList(sent, 'tracestate'), null);
    assert.equal(headerList(sent, 'tracestate'), null);
  });

  it('comes once for upstreams that read underscores as dashes, too', () => {
    const names = ['X_Request_ID', 'X_Proxy-By', 'x_user_id', 'X-User_Email', 'X_USER_ISSUER'];
    const sent = forwarded({
      headers: [...names, 'X_Backend', 'X_Request_IDs'].flatMap((name) => [name, 'x']),
    });
    assert.deepEqual(
      sent.filter((text) => text.includes('_')),
      ['X_Backend', 'X_Request_IDs'],
    );
  });

  it('is silent where it is turned off, and lets the client speak', () => {
    const sent = forwarded({ headers: ['x-request-id', 'mine', 'X-Proxy-By', 'me'], names: ALL_OFF });
    assert.equal(headerList(sent, 'x-request-id'), 'mine');
    assert.equal(headerList(sent, 'x-proxy-by'), 'me');
    assert.equal(headerList(sent, 'via'), null);
  });

  it('uses other names where it is told to', () => {
    const sent = forwarded({
      headers: ['correlation-id', 'mine', 'X-Request-ID', 'free'],
      names: { requestId: 'Correlation-ID', proxyBy: { name: 'X-Proxy', value: 'pace' }, via: 'edge' },
    });
    assert.equal(headerList(sent, 'correlation-id'), IDS.requestId);
    assert.equal(headerList(sent, 'x-request-id'), 'free');
    assert.equal(headerList(sent, 'x-proxy'), 'pace');
    assert.equal(headerList(sent, 'via'), '1.1 edge');
  });

  it('stands in Via behind the proxies before', () => {
    const headers = ['Via', '1.0 fred', 'VIA', '1.1 ginger'];
    assert.equal(headerList(forwarded({ headers }), 'via'), '1.0 fred, 1.1 ginger, 1.1 signalbox');
    assert.equal(headerList(forwarded({ headers, names: { via: null } }), 'via'), '1.0 fred, 1.1 ginger');
    assert.equal(headerList(forwarded({ request: { protocol: '2' } }), 'via'), '2 signalbox');
  });

  it('obeys the rules of the route, which come last', () => {
    const requestHeaders = {
      remove: ['x-proxy-by', 'cookie'],
      set: [['X-Env', 'prod']],
      add: [['X-Env', 'eu']],
    } as const;
    const sent = forwarded({ headers: ['Cookie', 'a', 'X-Env', 'client'], route: { requestHeaders } });
    assert.equal(headerList(sent, 'x-env'), 'prod, eu');
    assert.equal(headerList(sent, 'x-proxy-by'), null);
    assert.equal(headerList(sent, 'cookie'), null);
  });

  it('can be set by rules, in other words', () => {
    const value = [
      { variable: 'client_ip' },
      ' for ',
      { variable: 'host' },
      ' at ',
      { variable: 'upstream' },
    ] as const;
    const requestHeaders = { remove: [], set: [['X-Real-IP', value]], add: [] } as const;
    const request = { clientAddress: '198.51.100.7' };
    const sent = forwarded({ headers: ['X-Real-IP', '6.6.6.6'], request, route: { requestHeaders } });
    assert.equal(headerList(sent, 'x-real-ip'), '198.51.100.7 for example.com at red');
  });

  it('cannot be got around where the route sets or removes a header', () => {
    // What a rule had set reached a CGI program beside the client's own value of the same variable.
    const requestHeaders = { remove: ['x-debug'], set: [['X-Env', 'prod']], add: [['X-Tag', 'a']] } as const;
    const headers = ['X_Env', 'test', 'x-ENV', 'test', 'X_Debug', '1', 'X_Tag', 'b'];
    const sent = forwarded({ headers, route: { requestHeaders } });
    assert.equal(headerList(sent, 'x-env'), 'prod');
    assert.deepEqual(
      sent.filter((text) => text.includes('_')),
      ['X_Tag'],
    );
  });
});

describe('credentials', () => {
  const headers = ['Authorization', 'Bearer t', 'X-API-Key', 'k', 'AUTHORIZATION', 'Basic x'];
  const kept = (auth: Route['auth']) => {
    const sent = forwarded({ headers, route: { auth } });
    return [headerList(sent, 'authorization'), headerList(sent, 'x-api-key')];
  };

  it('[45] stay here once they were checked here', () => {
    assert.deepEqual(kept(authOf([], { scheme: 'bearer' })), [null, 'k']);
    assert.deepEqual(kept(authOf([], { scheme: 'basic' })), [null, 'k']);
    assert.deepEqual(kept(authOf([], { scheme: 'jwt' })), [null, 'k']);
    assert.deepEqual(kept(authOf([], { scheme: 'api_key' })), ['Bearer t, Basic x', null]);
  });

  it('pass where the route says so, or asks for none', () => {
    const all = ['Bearer t, Basic x', 'k'];
    assert.deepEqual(kept(authOf([], { forwardCredentials: true })), all);
    assert.deepEqual(kept(authOf([], { scheme: 'api_key', forwardCredentials: true })), all);
    assert.deepEqual(kept(null), all);
  });

  it('pass as they were checked: without a twin, whatever Connection says', () => {
    // X_API_Key passed beside the key that had been checked, and Connection could take that one away.
    const sent = forwarded({
      headers: ['X-API-Key', 'k', 'X_API_Key', 'another', 'Connection', 'X-API-Key, Authorization'],
      route: { auth: authOf([], { scheme: 'api_key', forwardCredentials: true }) },
    });
    assert.equal(headerList(sent, 'x-api-key'), 'k');
    assert.equal(headerList(sent, 'x_api_key'), null);
  });

  it('leave their header to the client where no key is asked for', () => {
    const headers = ['X_API_Key', 'k', 'Connection', 'X-API-Key', 'X-API-Key', 'k'];
    assert.deepEqual(passed(headers), ['X_API_Key', 'k']);
  });
});

describe('who the user is', () => {
  const claims = { iss: 'signalbox', sub: '0198-ann', email: 'ann@example.com' };
  const forged = ['X-User-ID', 'root', 'x-user-email', 'root@example.com', 'X-USER-ISSUER', 'me'];
  const twins = ['X_User_ID', 'root', 'x_user-email', 'root@example.com', 'X-User_Issuer', 'me'];
  const told = (scene: Scene) => {
    const sent = forwarded(scene);
    return ['x-user-id', 'x-user-email', 'x-user-issuer'].map((name) => headerList(sent, name));
  };

  it('[38] is what the token says, once, whatever the client says', () => {
    const expected = ['0198-ann', 'ann@example.com', 'signalbox'];
    assert.deepEqual(told({ claims }), expected);
    assert.deepEqual(told({ claims, headers: [...forged, ...forged, ...twins] }), expected);
  });

  it('[38] is nothing that a client says, on a route without authentication, too', () => {
    for (const auth of [null, authOf([], { scheme: 'jwt' }), authOf([], { scheme: 'basic' })]) {
      const sent = forwarded({ headers: [...forged, ...twins, 'X-User', 'kept'], route: { auth } });
      assert.equal(headerValue(sent, 'x-user'), 'kept');
      assert.ok(!sent.some((text) => /root|^me$/.test(text)), sent.join());
    }
  });

  it('[38] is nothing that a trusted proxy or a Connection header says', () => {
    assert.deepEqual(told({ headers: forged, request: { peerTrusted: true } }), [null, null, null]);
    const headers = ['Connection', 'X-User-ID, X-User-Email', ...forged];
    assert.deepEqual(told({ headers, claims }), ['0198-ann', 'ann@example.com', 'signalbox']);
  });

  it('[38] has other names, or none, where it is told to', () => {
    const identity = { userId: 'Remote_User', userEmail: null, userIssuer: null };
    const headers = ['remote-user', 'root', 'REMOTE_USER', 'root', 'X-User-Email', 'passes'];
    const sent = forwarded({ headers, claims, names: { identity } });
    assert.equal(headerList(sent, 'remote_user'), '0198-ann');
    assert.equal(headerList(sent, 'remote-user'), null);
    assert.equal(headerList(sent, 'x-user-email'), 'passes');
    assert.equal(headerList(sent, 'x-user-issuer'), null);
  });

  it('[38] leaves out an email that the token lacks, and sends others in UTF-8', () => {
    assert.equal(told({ claims: { ...claims, email: null } })[1], null);
    const [, email = ''] = told({ claims: { ...claims, email: 'zo\u00eb@example.com' } });
    assert.equal(Buffer.from(`${email}`, 'latin1').toString(), 'zo\u00eb@example.com');
  });
});

describe('trailers', () => {
  it('pass under names that would pass in the head, and never under ours', () => {
    const route = sampleRoute({
      auth: authOf(['k'], { scheme: 'api_key' }),
      requestHeaders: { remove: ['x-cut'], set: [['X-Set', 'a']], add: [] },
    });
    const mine = ['X-User-ID', 'X_User_Email', 'X-Request-ID', 'X-Forwarded-For', 'x_forwarded_host', 'Via'];
    const theirs = ['Host', 'X-API-Key', 'x_api_key', 'X-Cut', 'x-set', 'Connection', 'content_length'];
    const trailers = [...mine, ...theirs].flatMap((name) => [name, 'x']);
    const kept = ['X-Sum', '1', 'x-sum', '', 'Grpc_Like', '2'];
    assert.deepEqual(forwardTrailers([...trailers, ...kept], new Fields(), route, NAMES), kept);
  });

  it('never have what the head says is of its connection', () => {
    // RFC 9110 §7.6.1 means fields of trailers, too; these passed.
    const head = Fields.of(['Connection', 'TE, x-hop']);
    const route = sampleRoute({});
    assert.deepEqual(forwardTrailers(['X-Hop', '1', 'X-Sum', '2'], head, route, NAMES), ['X-Sum', '2']);
  });

  it('are left out altogether where one of them is no field', () => {
    const trailers = ['X-Sum', '1', 'X-Bad', 'a\r\nX-Cut: b'];
    assert.deepEqual(forwardTrailers(trailers, new Fields(), sampleRoute({}), NAMES), []);
  });
});

describe('Host', () => {
  const host = (upstream: Partial<Upstream>, request: Partial<ForwardedRequest> = {}) =>
    forwarded({ headers: ['Host', 'example.com', 'host', 'twice'], upstream, request }).slice(0, 2);

  it('comes first, and once', () => {
    const sent = forwarded({ headers: ['A', 'b', 'Host', 'example.com'] });
    assert.equal(sent[0], 'Host');
    assert.equal(headerList(sent, 'host'), 'example.com');
  });

  it("is the client's, the upstream's or a fixed one", () => {
    assert.deepEqual(host({ host: { kind: 'client' } }), ['Host', 'example.com']);
    assert.deepEqual(host({ host: { kind: 'upstream' } }), ['Host', '127.0.0.1:3000']);
    assert.deepEqual(host({ host: { kind: 'fixed', value: 'one.one.one.one' } }), [
      'Host',
      'one.one.one.one',
    ]);
  });

  it("is the upstream's where an HTTP/1.0 client named none", () => {
    const sent = forwarded({ request: { host: '' } });
    assert.equal(headerList(sent, 'host'), '127.0.0.1:3000');
    assert.equal(headerList(sent, 'x-forwarded-host'), null);
  });

  it("leaves out the scheme's own port and brackets IPv6", () => {
    const tls = { serverName: '', ca: null, verify: true };
    assert.equal(authority(sampleUpstream({ port: 80 })), '127.0.0.1');
    assert.equal(authority(sampleUpstream({ port: 443 })), '127.0.0.1:443');
    assert.equal(authority(sampleUpstream({ port: 443, tls })), '127.0.0.1');
    assert.equal(authority(sampleUpstream({ port: 80, tls })), '127.0.0.1:80');
    assert.equal(authority(sampleUpstream({ address: '::1', port: 8080 })), '[::1]:8080');
    assert.equal(authority(sampleUpstream({ address: '::1', port: 80 })), '[::1]');
  });
});
