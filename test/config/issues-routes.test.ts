import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RULE_VARIABLES } from '#config/rule-value.ts';
import { mistakesIn, UPSTREAMS } from './support.ts';

/** `text` goes below a valid pool, which is line 1. */
function expectMistakes(text: string, ...expected: string[]): void {
  assert.deepEqual(mistakesIn(UPSTREAMS + text), expected);
}

describe('a route', () => {
  it('leads to no pool', () => {
    expectMistakes(
      'routes:\n  - pool: defalt\n  - {host: b, pool: nowhere}\n',
      '3:11: routes[0].pool: found `defalt`: there is no such pool; did you mean `default`?',
      '4:21: routes[1].pool: found `nowhere`: there is no such pool',
    );
  });

  it('leads to a pool that is not there by default', () => {
    assert.deepEqual(mistakesIn('pools: {a: {upstreams: [{url: "http://a"}]}}\n'), [
      '1:1: `routes` is missing: without it, everything goes to `load_balancing`, which is missing, too',
    ]);
    assert.deepEqual(mistakesIn('pools: {a: {upstreams: [{url: "http://a"}]}}\nroutes: [{host: x}]\n'), [
      '2:10: routes[0].pool: there is no such pool',
    ]);
  });

  it('has a host, path or method that no request has', () => {
    expectMistakes(
      'routes:\n  - host: a:80\n    path_prefix: api\n    methods: []\n  - {host: "*.*.b", path_prefix: /a?b}\n',
      '3:11: routes[0].host: found `a:80`, expected a host name without port, or `*.` and a domain',
      '4:18: routes[0].path_prefix: found `api`, expected a path that starts with `/`, without query',
      '5:5: routes[0].methods: found an empty list, expected a list of at least one method',
      '6:12: routes[1].host: found `*.*.b`, expected a host name without port, or `*.` and a domain',
      '6:34: routes[1].path_prefix: found `/a?b`, expected a path that starts with `/`, without query',
    );
  });

  it('has a path that no request is matched with', () => {
    // Such routes were accepted, and what they should have asked credentials for went to the next one.
    const instead = (path: string) =>
      `paths are matched without empty segments, dot segments and parameters: write \`${path}\``;
    const never =
      'no request can have this path: it has a broken escape (write `%25` for `%`) or leads above the root';
    const mistakes = {
      '//a': instead('/a'),
      '/a//': instead('/a/'),
      '/a/../b': instead('/b'),
      '/a/.': instead('/a/'),
      '/a;b': instead('/a'),
      '/a%3Bb': instead('/a'),
      '//%25 %3f': instead('/%25%20%3F'),
      '/..': never,
      '/100%': never,
      '/%FF': never,
    };
    for (const [path, mistake] of Object.entries(mistakes)) {
      expectMistakes(
        `routes: [{path_prefix: "${path}"}]\n`,
        `2:24: routes[0].path_prefix: found \`${path}\`: ${mistake}`,
      );
    }
  });

  it('never matches, because another has the same match', () => {
    const mistake = '`routes[0]` has the same host, path and methods, so this one never matches';
    expectMistakes('routes:\n  - {}\n  - path_prefix: /\n', `4:5: routes[1]: ${mistake}`);
    expectMistakes(
      'routes:\n  - {path_prefix: /my%20docs}\n  - {path_prefix: /my docs}\n',
      `4:5: routes[1]: ${mistake}`,
    );
    expectMistakes(
      'routes:\n  - {host: A.b, methods: [GET, PUT]}\n  - {host: a.B, methods: [PUT, GET, GET]}\n  - {host: a.b}\n',
      `4:5: routes[1]: ${mistake}`,
    );
  });

  it('has the name of another, given or not', () => {
    expectMistakes(
      'routes:\n  - {name: route-2, host: a}\n  - {host: b}\n',
      '4:5: routes[1]: `routes[0]` has the same name',
    );
  });

  it('is none', () => {
    expectMistakes('routes: []\n', '2:1: routes: found an empty list, expected a list of at least one route');
  });

  it('has numbers out of range', () => {
    expectMistakes(
      'routes:\n  - retry: {attempts: 11, on_status: [404]}\n    timeouts: {idle_ms: 0}\n',
      '3:23: routes[0].retry.attempts: found 11, expected a whole number from 1 to 10',
      '3:39: routes[0].retry.on_status[0]: found 404, expected 429 or a status from 500 to 599',
      '4:25: routes[0].timeouts.idle_ms: found 0, expected a whole number of milliseconds from 1 to 86400000',
    );
  });
});

describe('header rules', () => {
  const framing = 'headers that frame messages or belong to one connection are for Signalbox to handle';

  it('touch what frames a message or belongs to a connection', () => {
    const names = [
      'Connection',
      'Transfer-Encoding',
      'Content-Length',
      'Upgrade',
      'TE',
      'Trailer',
      'Keep-Alive',
    ];
    for (const name of [...names, 'Proxy-Authorization', 'proxy-status']) {
      expectMistakes(
        `headers: {request: {remove: [${name}]}}\n`,
        `2:30: headers.request.remove[0]: found \`${name}\`: ${framing}`,
      );
      expectMistakes(
        `headers: {response: {add: {${name}: x}}}\n`,
        `2:28: headers.response.add.${name}: ${framing}`,
      );
    }
  });

  it('touch Host, which has a setting of its own', () => {
    expectMistakes(
      'routes: [{request_headers: {set: {host: a}}}]\n',
      '2:35: routes[0].request_headers.set.host: the Host header is not set here: use `host_header` of the pool or upstream',
    );
  });

  it('have names or values that are not HTTP, of which no value is shown', () => {
    expectMistakes(
      'headers:\n  request:\n    set: {"a b": x, X-Key: "hunter2\\nX-Evil: 1", X-Nul: "hunter2\\0", X-Space: " x"}\n',
      '4:11: headers.request.set["a b"]: the name does not fit, expected a header name such as `X-Example`',
      ...[28, 57, 79].map((column, index) => {
        const name = ['X-Key', 'X-Nul', 'X-Space'][index];
        return `4:${column}: headers.request.set.${name}: found a text (not shown), expected a header value: one line of at most 8192 printable characters`;
      }),
    );
  });

  it('have a variable that there is not, of which no value is shown', () => {
    const variables = RULE_VARIABLES.map((name) => `\`%{${name}}\``);
    expectMistakes(
      'headers: {request: {set: {X-A: "%{hunter2}", X-B: "%{host}"}}}\n',
      `2:32: headers.request.set.X-A: has a variable that there is not; expected ${variables.join(', ')}, or \`%%{\` for the text itself`,
    );
  });

  it('set one header twice', () => {
    // The second won, and whoever had written the first was not told.
    expectMistakes(
      'headers: {response: {set: {X-A: "1", x-a: "2"}, add: {X-B: "1", x-b: "2"}}}\n',
      '2:43: headers.response.set.x-a: `X-A` is the same header; case does not count',
    );
  });

  it('rename a header of Signalbox to one that has a meaning', () => {
    const taken = 'this header has a meaning already: give Signalbox one of its own';
    for (const name of ['Via', 'X-Forwarded-For', 'Authorization', 'Set-Cookie', 'Content-Type', 'RateLimit'])
      expectMistakes(`headers: {backend: ${name}}\n`, `2:20: headers.backend: found \`${name}\`: ${taken}`);
  });

  it('give two headers of Signalbox one name', () => {
    expectMistakes(
      'headers: {request_id: X-Id, proxy_by: {name: x-by}, backend: X_ID, user_id: X-By}\n',
      '2:62: headers.backend: found `X_ID`: has the same name as `request_id`: give each its own',
      '2:77: headers.user_id: found `X-By`: has the same name as `proxy_by.name`: give each its own',
    );
    expectMistakes(
      'headers: {request_id: X-Backend}\n',
      '2:1: headers.backend: has the same name as `request_id`: give each its own',
    );
    expectMistakes('headers: {request_id: X-Backend, backend: false, proxy_by: false}\n');
  });

  it('rename a header of Signalbox to one of those', () => {
    expectMistakes(
      'headers: {request_id: Upgrade, backend: "", via: a b}\n',
      `2:23: headers.request_id: found \`Upgrade\`: ${framing}`,
      '2:41: headers.backend: found an empty text, expected `false`, or a header name such as `X-Example`',
      '2:50: headers.via: found `a b`, expected `false`, or a name such as `signalbox`, without spaces',
    );
  });
});

describe('the other sections', () => {
  it('open the admin API to other machines without a token', () => {
    const mistake = 'other machines can reach this address: give a `token`, or listen on 127.0.0.1';
    for (const listen of ['0.0.0.0:9901', '"[::]:9901"', '10.0.0.1:9901', 'box:9901']) {
      const [line = '', ...others] = mistakesIn(`${UPSTREAMS}admin: {listen: ${listen}}\n`);
      assert.ok(line.startsWith('2:17: admin.listen: found') && line.endsWith(mistake), line);
      assert.deepEqual(others, []);
      expectMistakes(`admin: {listen: ${listen}, token: 0123456789abcdef}\n`);
    }
    for (const listen of ['localhost:9901', '"[::1]:9901"', '127.1.2.3:9901']) {
      expectMistakes(`admin: {listen: ${listen}}\n`);
    }
  });

  it('have a token that is too short, without showing it', () => {
    expectMistakes(
      'admin: {token: hunter2}\n',
      '2:16: admin.token: found a text (not shown), expected at least 16 visible ASCII characters',
    );
  });

  it('have no address and port to listen on', () => {
    for (const listen of ['"9901"', '"::1:9901"', '127.0.0.1:0', 'a:99999', '"[a]:1"']) {
      assert.match(
        mistakesIn(`${UPSTREAMS}admin: {listen: ${listen}}\n`)[0] ?? '',
        /^2:17: admin\.listen: found .* expected an address and a port, such as `127\.0\.0\.1:9901` or/,
      );
    }
  });

  it('serve metrics where something else is', () => {
    expectMistakes(
      'metrics: {endpoint: /readyz}\n',
      '2:21: metrics.endpoint: found `/readyz`: the admin listener has another answer there',
    );
    expectMistakes(
      'metrics: {listener: proxy, endpoint: /health}\n',
      '2:38: metrics.endpoint: found `/health`: the proxy listener has another answer there',
    );
  });

  it('serve metrics where no request can be for', () => {
    for (const endpoint of ['//metrics', '/a/../metrics', '/..', '/%'])
      expectMistakes(
        `metrics: {endpoint: "${endpoint}"}\n`,
        `2:21: metrics.endpoint: found \`${endpoint}\`: no request can have this path: it has a broken escape, or a dot segment or \`//\` to resolve`,
      );
  });

  it('answer /health with what is no JSON', () => {
    expectMistakes('health: {body: "{ok}"}\n', '2:16: health.body: found `{ok}`, expected JSON text');
  });
});
