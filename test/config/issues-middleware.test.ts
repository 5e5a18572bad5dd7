import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mistakesIn, UPSTREAMS } from './support.ts';

/** In quotes, because between brackets its commas would end it. */
const HASH = '"$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"';

/** `text` is the section `auth`, from line 3, column 9. */
function expectAuthMistakes(text: string, ...expected: string[]): void {
  assert.deepEqual(mistakesIn(`${UPSTREAMS}middleware:\n  auth: ${text}\n`), expected);
}

/** `text` is the section `rate_limit`, from line 3, column 15. */
function expectLimitMistakes(text: string, ...expected: string[]): void {
  assert.deepEqual(mistakesIn(`${UPSTREAMS}middleware:\n  rate_limit: ${text}\n`), expected);
}

describe('auth', () => {
  it('accepts nobody', () => {
    expectAuthMistakes('{}', '3:3: middleware.auth: `bearer` needs at least one token in `valid_tokens`');
    expectAuthMistakes(
      '{auth_type: api_key, valid_tokens: []}',
      '3:3: middleware.auth: `api_key` needs at least one token in `valid_tokens`',
    );
    expectAuthMistakes(
      '{auth_type: basic}',
      '3:3: middleware.auth: `basic` needs a user in `valid_users` or a token in `valid_tokens`',
    );
  });

  it('may accept nobody when it is off', () => {
    expectAuthMistakes('{enabled: false}');
  });

  it('has tokens that nobody could send', () => {
    const expected =
      'expected a token of 1 to 4096 visible ASCII characters, or `sha256:` and 64 hexadecimal digits';
    expectAuthMistakes(
      "{valid_tokens: ['has space', 'semi;colon', 12, 'sha256:12']}",
      `3:25: middleware.auth.valid_tokens[0]: found a text (not shown), ${expected}`,
      '3:38: middleware.auth.valid_tokens[1]: not a token that `bearer` can carry: expected letters, digits and `-._~+/`, then any number of `=`',
      `3:52: middleware.auth.valid_tokens[2]: found a number, ${expected}; put it in quotes`,
      `3:56: middleware.auth.valid_tokens[3]: found a text (not shown), ${expected}`,
    );
    expectAuthMistakes("{auth_type: api_key, valid_tokens: ['semi;colon']}");
  });

  it('has users that cannot be, without showing their names or hashes', () => {
    expectAuthMistakes(
      `{auth_type: basic, valid_users: {alice: hunter2, "bob:b": ${HASH}}}`,
      '3:49: middleware.auth.valid_users: found a text (not shown), expected an argon2id hash in PHC format, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`',
      '3:58: middleware.auth.valid_users: the name does not fit, expected a user name of 1 to 256 characters without a colon',
    );
  });

  it('has settings of another type of authentication', () => {
    expectAuthMistakes(
      `{valid_tokens: [a], api_key_header: X-Key, valid_users: {a: ${HASH}}}`,
      '3:45: middleware.auth.api_key_header: found `X-Key`: works with `auth_type: api_key` only',
      '3:52: middleware.auth.valid_users: works with `auth_type: basic` only',
    );
  });
});

describe('the header of an API key', () => {
  const auth = (name: string) => `{auth_type: api_key, valid_tokens: [k], api_key_header: ${name}}`;

  it('has a meaning already', () => {
    // With `Host`, requests were let in that named a token as their host.
    const names = ['Host', 'host', 'Connection', 'TE', 'Content-Length', 'Proxy-Authorization', 'Cookie'];
    names.push('X-Forwarded-For', 'x-forwarded-user', 'Forwarded', 'Via', 'traceparent', 'Content-Type');
    for (const name of names) {
      expectAuthMistakes(
        auth(name),
        `3:65: middleware.auth.api_key_header: found \`${name}\`: this header has a meaning already: choose one that carries nothing but the key`,
      );
    }
    for (const name of ['Authorization', 'apikey', 'X_API_Key']) expectAuthMistakes(auth(name));
  });

  it('is one that Signalbox writes itself', () => {
    const mistake = (key: string) => `Signalbox writes this header itself: it is \`headers.${key}\``;
    expectAuthMistakes(
      auth('x-request-id'),
      `3:65: middleware.auth.api_key_header: found \`x-request-id\`: ${mistake('request_id')}`,
    );
    assert.deepEqual(
      mistakesIn(`${UPSTREAMS}headers: {proxy_by: {name: X-Key}}\nroutes: [{auth: ${auth('X_Key')}}]\n`),
      [`3:73: routes[0].auth.api_key_header: found \`X_Key\`: ${mistake('proxy_by.name')}`],
    );
    assert.deepEqual(
      mistakesIn(`${UPSTREAMS}headers: {request_id: false}\nmiddleware: {auth: ${auth('X-Request-ID')}}\n`),
      [],
    );
  });
});

describe('rate_limit', () => {
  it('has no numbers, or not all of them', () => {
    const path = '3:3: middleware.rate_limit:';
    expectLimitMistakes('{}', `${path} \`requests_per_minute\` is missing; a \`token_bucket\` needs it`);
    expectLimitMistakes(
      '{algorithm: sliding_window}',
      `${path} \`max_requests\` is missing; a \`sliding_window\` needs it`,
      `${path} \`window_seconds\` is missing; a \`sliding_window\` needs it`,
    );
    expectLimitMistakes(
      '{max_requests: 1}',
      `${path} \`window_seconds\` is missing; a \`sliding_window\` needs it`,
    );
    expectLimitMistakes('{enabled: false}');
  });

  it('mixes the numbers of two algorithms', () => {
    expectLimitMistakes(
      '{requests_per_minute: 1, max_requests: 1}',
      '3:54: middleware.rate_limit.max_requests: found 1: a `token_bucket` has no such number; leave it out, or say `algorithm: sliding_window`',
    );
    expectLimitMistakes(
      '{max_requests: 1, window_seconds: 1, tiers: [{match: {header: {name: X-A, values: b}}, requests_per_minute: 1}]}',
      '3:60: middleware.rate_limit.tiers[0]: `max_requests` is missing; a `sliding_window` needs it',
      '3:60: middleware.rate_limit.tiers[0]: `window_seconds` is missing; a `sliding_window` needs it',
      '3:123: middleware.rate_limit.tiers[0].requests_per_minute: found 1: a `sliding_window` has no such number; leave it out, or say `algorithm: token_bucket`',
    );
  });

  it('has a tier for nobody, or for two', () => {
    const path = 'middleware.rate_limit.tiers[0].match: give either `user` or `header`';
    expectLimitMistakes(
      '{requests_per_minute: 1, tiers: [{match: {}, requests_per_minute: 1}]}',
      `3:49: ${path}`,
    );
    expectLimitMistakes(
      '{requests_per_minute: 1, key: client_ip, tiers: [{requests_per_minute: 1}]}',
      '3:64: middleware.rate_limit.tiers[0].match: missing; expected a section',
    );
  });

  it('counts by an identity that nobody has', () => {
    const mistake = 'asks for the user or API key, but no route of it has authentication';
    expectLimitMistakes('{requests_per_minute: 1, key: user}', `3:3: middleware.rate_limit: ${mistake}`);
    expectLimitMistakes(
      '{requests_per_minute: 1, tiers: [{match: {user: alice}, requests_per_minute: 2}]}',
      `3:3: middleware.rate_limit: ${mistake}`,
    );
    assert.deepEqual(
      mistakesIn(`${UPSTREAMS}routes:\n  - rate_limit: {requests_per_minute: 1, key: [route, api_key]}\n`),
      ['3:5: routes[0].rate_limit: asks for the user or API key, but the route has no authentication'],
    );
  });

  it('may count by user when one of its routes has authentication', () => {
    assert.deepEqual(
      mistakesIn(
        `${UPSTREAMS}middleware: {rate_limit: {requests_per_minute: 1, key: user}}\nroutes: [{host: a}, {auth: {valid_tokens: [t]}}]\n`,
      ),
      [],
    );
  });
});
