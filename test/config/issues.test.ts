import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mistakesIn, UPSTREAMS, writeBeside } from './support.ts';

/** `text` goes below a valid pool, which is line 1. */
function expectMistakes(text: string, ...expected: string[]): void {
  assert.deepEqual(mistakesIn(UPSTREAMS + text), expected);
}

/** `text` is an upstream, from line 3, column 7. */
function expectUpstreamMistakes(text: string, ...expected: string[]): void {
  assert.deepEqual(mistakesIn(`load_balancing:\n  upstreams:\n    - ${text}\n`), expected);
}

describe('a key that is not known', () => {
  it('is near to one that is', () => {
    expectMistakes(
      'server:\n  listen_prt: 1\n',
      '3:3: server: unknown key `listen_prt`; did you mean `listen_port`?',
    );
    assert.deepEqual(mistakesIn('load_balancing:\n  strategi: random\n  upstreams: [{url: "http://a"}]\n'), [
      '2:3: load_balancing: unknown key `strategi`; did you mean `strategy`?',
    ]);
  });

  it('is spelt another way', () => {
    expectMistakes(
      'server: {listenPort: 1}\n',
      '2:10: server: unknown key `listenPort`; did you mean `listen_port`?',
    );
  });

  it('belongs elsewhere', () => {
    expectMistakes(
      'listen_port: 8080\n',
      '2:1: unknown key `listen_port`; it belongs in `server` or `server.tls`',
    );
    assert.deepEqual(mistakesIn('load_balancing:\n  upstreams: [{url: "http://a"}]\n  weight: 2\n'), [
      '3:3: load_balancing: unknown key `weight`; it belongs in `load_balancing.upstreams[]`',
    ]);
  });

  it('is like nothing', () => {
    expectMistakes(
      'shutdown: {colour: red}\n',
      '2:12: shutdown: unknown key `colour`; expected one of `lame_duck_ms`, `grace_ms`',
    );
  });

  it('stands where a section or `false` may', () => {
    expectMistakes(
      'headers: {proxy_by: {nam: X-By}}\n',
      '2:22: headers.proxy_by: unknown key `nam`; did you mean `name`?',
    );
  });

  it('would change the prototype', () => {
    expectMistakes(
      'pools: {__proto__: {upstreams: []}}\n',
      '2:9: pools: no key can have the name `__proto__`',
    );
  });
});

describe('a key that is given twice', () => {
  it('is told with the line of the first', () => {
    expectMistakes('log: {level: info}\nlog:\n  level: warn\n', '3:1: log: given twice; first in line 2');
  });
});

describe('a value of the wrong type', () => {
  it('is a text for a number', () => {
    expectMistakes(
      'server:\n  max_connections: "100"\n  head_ms: 10s\n',
      '3:20: server.max_connections: found `100`, expected a whole number from 1 to 1000000; leave out the quotes',
      '4:12: server.head_ms: found `10s`, expected a whole number of milliseconds from 1 to 86400000',
    );
  });

  it('is a number for a text', () => {
    expectUpstreamMistakes(
      '{name: 7, address: a, port: 1}',
      '3:14: load_balancing.upstreams[0].name: found 7, expected a name of at most 256 visible characters without `/`; put it in quotes',
    );
  });

  it('is a fraction', () => {
    expectMistakes(
      'retry: {attempts: 1.5}\n',
      '2:19: retry.attempts: found 1.5, expected a whole number from 1 to 10',
    );
  });

  it('is no number at all', () => {
    expectMistakes(
      'retry: {attempts: .nan}\n',
      '2:19: retry.attempts: found NaN, expected a whole number from 1 to 10',
    );
    expectMistakes(
      'limits: {max_keys: .inf}\n',
      '2:20: limits.max_keys: found Infinity, expected a whole number from 1024 to 1048576',
    );
  });

  it('is a truth value of YAML 1.1', () => {
    expectMistakes(
      'headers:\n  forwarded: yes\n',
      '3:14: headers.forwarded: found `yes`, expected `true` or `false`; did you mean `true`?',
    );
    expectMistakes(
      'metrics: {enabled: off}\n',
      '2:20: metrics.enabled: found `off`, expected `true` or `false`; did you mean `false`?',
    );
  });

  it('is nothing, or a list, for a section', () => {
    expectMistakes('headers:\n', '2:1: headers: found nothing, expected a section');
    expectMistakes('log: [info]\n', '2:1: log: found a list, expected a section');
    assert.deepEqual(mistakesIn('- a\n'), ['1:1: found a list, expected a section']);
  });

  it('is a section for a list', () => {
    expectMistakes(
      'server: {trusted_proxies: {a: 1}}\n',
      '2:10: server.trusted_proxies: found a section, expected a list, each an IP address, or a block of them such as `10.0.0.0/8`',
    );
  });

  it('fits none of several forms', () => {
    expectMistakes(
      'server: {workers: many}\n',
      '2:19: server.workers: found `many`, expected `auto`, or a whole number from 1 to 64',
    );
    expectMistakes(
      'routes: [{auth: yes}]\n',
      '2:17: routes[0].auth: found `yes`, expected `false`, or a section',
    );
  });
});

describe('a value that is not one of the listed', () => {
  it('is near to one', () => {
    assert.deepEqual(
      mistakesIn('load_balancing:\n  strategy: leastConn\n  upstreams: [{url: "http://a"}]\n'),
      [
        '2:13: load_balancing.strategy: found `leastConn`, expected one of `round_robin`, `random`, `least_conn`, `consistent_hash`, `p2c_ewma`; did you mean `least_conn`?',
      ],
    );
    expectMistakes(
      'routes: [{methods: [get]}]\n',
      '2:21: routes[0].methods[0]: found `get`, expected a method in upper case, such as `GET`; did you mean `GET`?',
    );
    expectMistakes(
      'middleware: {rate_limit: {requests_per_minute: 1, key: [clientip]}}\n',
      '2:57: middleware.rate_limit.key[0]: found `clientip`, expected one of `client_ip`, `user`, `api_key`, `route`, `path`, or `header:` and the name of a header; did you mean `client_ip`?',
    );
  });

  it('is like none', () => {
    expectMistakes(
      'log: {level: loud}\n',
      '2:14: log.level: found `loud`, expected one of `debug`, `info`, `warn`, `error`',
    );
  });
});

describe('server', () => {
  it('has an impossible port', () => {
    expectMistakes(
      'server: {listen_port: 0}\n',
      '2:23: server.listen_port: found 0, expected a port from 1 to 65535',
    );
  });

  it('trusts what is no block of addresses', () => {
    const expected = 'expected an IP address, or a block of them such as `10.0.0.0/8`';
    expectMistakes(
      'server:\n  trusted_proxies: [10.0.0.0/33, 10.0.0.1, ::/129, "2001:db8::/32", proxy, 10.0.0.0/8/8]\n',
      `3:21: server.trusted_proxies[0]: found \`10.0.0.0/33\`, ${expected}`,
      `3:44: server.trusted_proxies[2]: found \`::/129\`, ${expected}`,
      `3:69: server.trusted_proxies[4]: found \`proxy\`, ${expected}`,
      `3:76: server.trusted_proxies[5]: found \`10.0.0.0/8/8\`, ${expected}`,
    );
  });

  it('listens where the admin API does', () => {
    expectMistakes(
      'server:\n  listen_port: 9901\n',
      '3:16: server.listen_port: found 9901: `admin.listen` has the same port; give each listener its own',
    );
    expectMistakes('server: {listen_address: 10.0.0.1, listen_port: 9901}\n');
  });

  it('believes whoever connects to it', () => {
    expectMistakes(
      'server: {proxy_protocol: true}\n',
      '2:26: server.proxy_protocol: found true: anyone could claim any address: list who may announce clients in `trusted_proxies`',
    );
    expectMistakes('server: {proxy_protocol: true, trusted_proxies: [10.0.0.1]}\n');
  });
});

describe('an upstream', () => {
  it('has weight 0 or port 0', () => {
    expectUpstreamMistakes(
      '{address: a, port: 0, weight: 0}',
      '3:26: load_balancing.upstreams[0].port: found 0, expected a port from 1 to 65535',
      '3:37: load_balancing.upstreams[0].weight: found 0, expected a whole number from 1 to 256',
    );
  });

  it('has no address, or two', () => {
    expectUpstreamMistakes(
      'name: a',
      '3:7: load_balancing.upstreams[0]: `address` is missing; give `address` and `port`, or a `url`',
      '3:7: load_balancing.upstreams[0]: `port` is missing; give `address` and `port`, or a `url`',
    );
    expectUpstreamMistakes(
      '{url: "http://a:1", port: 1}',
      '3:33: load_balancing.upstreams[0].port: found 1: the `url` says this already; give one or the other',
    );
  });

  it('has an address that is none', () => {
    for (const address of ['127.0.0.256', '"[::1]"', '"a b"', 'a:80', '-a', `${'a'.repeat(64)}.com`]) {
      const [mistake = '', ...others] = mistakesIn(
        `load_balancing: {upstreams: [{address: ${address}, port: 1}]}\n`,
      );
      assert.match(
        mistake,
        /^1:40: load_balancing\.upstreams\[0\]\.address: .* expected an IP address without brackets/,
      );
      assert.deepEqual(others, []);
    }
  });

  it('has a URL that is more than an origin, without showing it', () => {
    for (const url of [
      'ftp://a',
      'a:80',
      'http://a/x',
      'http://a?x',
      'http://u:hunter2@a',
      'http://a:0',
      'http://',
    ]) {
      expectUpstreamMistakes(
        `{url: '${url}'}`,
        '3:13: load_balancing.upstreams[0].url: found a text (not shown), expected `http://host:port` or `https://host:port`, without user, path or query',
      );
    }
  });

  it('contradicts itself about TLS', () => {
    expectUpstreamMistakes(
      '{url: "https://a", tls: false}',
      '3:31: load_balancing.upstreams[0].tls: found false: the `url` says https',
    );
    expectUpstreamMistakes(
      '{url: "http://a", tls: {verify: false}}',
      '3:25: load_balancing.upstreams[0].tls: the `url` says http; write https there',
    );
  });

  it('names a CA file that is of no use', () => {
    writeBeside('empty.pem', 'no certificate\n');
    writeBeside('broken.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
    const path = 'load_balancing.upstreams[0].tls.ca_file: cannot use this file:';
    expectUpstreamMistakes(
      '{url: "https://a", tls: {ca_file: none.pem}}',
      `3:41: ${path} there is no such file`,
    );
    expectUpstreamMistakes(
      '{url: "https://a", tls: {ca_file: empty.pem}}',
      `3:41: ${path} it has no PEM certificate in it`,
    );
    expectUpstreamMistakes(
      '{url: "https://a", tls: {ca_file: broken.pem}}',
      `3:41: ${path} its certificate number 1 is malformed`,
    );
  });
});

describe('a pool', () => {
  it('is empty, or has no upstreams', () => {
    const expected = 'expected a list of 1 to 1024 upstreams';
    assert.deepEqual(mistakesIn('load_balancing: {upstreams: []}\n'), [
      `1:18: load_balancing.upstreams: found an empty list, ${expected}`,
    ]);
    assert.deepEqual(mistakesIn('load_balancing:\n  strategy: random\n'), [
      `1:1: load_balancing.upstreams: missing; ${expected}`,
    ]);
  });

  it('has two upstreams of one name, given or not', () => {
    const text = (second: string) =>
      `load_balancing:\n  upstreams:\n    - {name: "a:1", url: "http://b:1"}\n    - ${second}\n`;
    assert.deepEqual(mistakesIn(text('url: http://a:1')), [
      '4:7: load_balancing.upstreams[1]: `upstreams[0]` has the same name; give one of them another',
    ]);
    assert.deepEqual(mistakesIn(text('{url: http://c, name: "a:1"}')), [
      '4:29: load_balancing.upstreams[1].name: found `a:1`: `upstreams[0]` has the same name; give one of them another',
    ]);
  });

  it('has an upstream with a bound, and none for the others', () => {
    assert.deepEqual(mistakesIn('load_balancing:\n  upstreams: [{url: "http://a", in_flight_max: 2}]\n'), [
      '2:48: load_balancing.upstreams[0].in_flight_max: found 2: give the pool one as well, for its other upstreams',
    ]);
  });

  it('waits for what has no bound', () => {
    assert.deepEqual(
      mistakesIn('load_balancing:\n  queue: {length_max: 1}\n  upstreams: [{url: "http://a"}]\n'),
      ['2:3: load_balancing.queue: nothing waits without `in_flight_max`; give that as well'],
    );
  });

  it('has a hash key without the strategy, or the strategy without it', () => {
    const upstreams = 'upstreams: [{url: "http://a"}]';
    assert.deepEqual(mistakesIn(`load_balancing:\n  strategy: consistent_hash\n  ${upstreams}\n`), [
      '2:13: load_balancing.strategy: found `consistent_hash`: `consistent_hash` needs `hash_key`: what to keep on one upstream, such as `client_ip`',
    ]);
    assert.deepEqual(mistakesIn(`load_balancing:\n  hash_key: header:X-Id\n  ${upstreams}\n`), [
      '2:13: load_balancing.hash_key: found `header:X-Id`: works with `strategy: consistent_hash` only',
    ]);
  });

  it('has the name of another', () => {
    expectMistakes(
      'pools:\n  default: {upstreams: [{url: "http://a"}]}\n',
      '3:3: pools.default: the pool `default` is the section `load_balancing`; choose another name',
    );
  });

  it('is one too many, or has too many upstreams', () => {
    const upstreams = (count: number) =>
      `{upstreams: [${Array.from({ length: count }, (_, index) => `{url: 'http://a:${index + 1}'}`).join()}]}`;
    const pools = (count: number, size: number) =>
      `load_balancing: ${upstreams(1)}\npools:\n${Array.from({ length: count }, (_, index) => `  p${index}: ${upstreams(size)}\n`).join('')}`;
    assert.deepEqual(mistakesIn(pools(256, 1)), ['2:1: pools: found 257 pools, expected at most 256']);
    assert.deepEqual(mistakesIn(pools(1, 1025)), [
      '3:8: pools.p0.upstreams: found a list, expected a list of 1 to 1024 upstreams',
    ]);
    assert.deepEqual(mistakesIn(pools(4, 1024)), [
      '1:1: found 4097 upstreams in all pools, expected at most 4096',
    ]);
  });
});
