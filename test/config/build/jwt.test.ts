import assert from 'node:assert/strict';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { formatDiagnostics } from '#config/diagnostics.ts';
import { load, mistakesIn, UPSTREAMS } from '../support.ts';

const BASE = `${UPSTREAMS}middleware: {auth: {auth_type: jwt}}\n`;
const SECRET = randomBytes(32).toString('base64');
const OTHER =
  '{issuer: "https://login.example.com", audience: api, jwks_uri: "https://login.example.com/keys"}';

function pemOf(type: 'ed25519' | 'ec' | 'rsa', options = {}): string {
  // @ts-expect-error The overloads want each type by itself.
  const { publicKey } = generateKeyPairSync(type, options);
  return publicKey.export({ format: 'pem', type: 'spki' });
}

describe('the settings of tokens', () => {
  it('are none where no route asks for tokens, and then the section is warned of', () => {
    const { settings, warnings } = load(`${UPSTREAMS}jwt: {}\ndatabase: {}\n`);
    assert.equal(settings.jwt, null);
    const told = formatDiagnostics(warnings);
    assert.match(told, /jwt: has no effect: no route has `auth_type: jwt`/);
    assert.match(told, /database: has no effect/);
    assert.equal(load(`${UPSTREAMS}middleware: {auth: {enabled: false, auth_type: jwt}}`).settings.jwt, null);
  });

  it('have the documented defaults', () => {
    assert.deepEqual(load(BASE).settings.jwt, {
      issuer: 'signalbox',
      audience: 'signalbox',
      secret: null,
      keySecret: null,
      accessTokenSeconds: 900,
      refreshTokenSeconds: 604_800,
      sessionSeconds: 2_592_000,
      refreshGraceSeconds: 10,
      leewaySeconds: 30,
      issuers: [],
    });
  });

  it('are asked for by a single route, too', () => {
    const { settings, warnings } = load(`${UPSTREAMS}routes: [{auth: {auth_type: jwt}}]\njwt: {}\n`);
    assert.notEqual(settings.jwt, null);
    assert.deepEqual(warnings, []);
  });

  it('[34] take the secret of HS256 from the file, or else from JWT_SECRET, and show it nowhere', () => {
    const other = randomBytes(32).toString('hex');
    const secretOf = (text: string) => load(BASE + text, { JWT_SECRET: SECRET }).settings;
    assert.equal(secretOf('').jwt?.secret?.export().toString(), SECRET);
    assert.equal(secretOf(`jwt: {secret: ${other}}`).jwt?.secret?.export().toString(), other);
    assert.doesNotMatch(JSON.stringify(secretOf('')), new RegExp(SECRET.slice(0, 10).replaceAll(/\W/g, '.')));
  });

  it('[34] refuse a secret under 32 bytes, and one that is an example', () => {
    const weak = [
      'short',
      'x'.repeat(31),
      'x'.repeat(64),
      'a-string-secret-at-least-256-bits-long',
      'your-256-bit-secret-your-256-bit-secret',
      'change_me_in_production_0123456789abcdef',
      'CHANGEME-0123456789abcdef0123456789abcdef',
      'my_super_secret_jwt_key_for_this_service_1',
      'dev-secret-key-0123456789abcdef0123456789',
    ];
    for (const secret of weak) {
      const expected = /at least 32 random bytes, and none that came with an example/;
      const [inFile = ''] = mistakesIn(`${BASE}jwt: {secret: ${secret}}\n`);
      assert.match(inFile, /^3:15: jwt\.secret: found a text \(not shown\)/);
      assert.match(inFile, expected);
      const [inEnvironment = ''] = mistakesIn(BASE, { JWT_SECRET: secret });
      assert.match(inEnvironment, /the environment variable `JWT_SECRET` cannot be used/);
      assert.match(inEnvironment, expected);
      assert.doesNotMatch(inFile + inEnvironment, new RegExp(secret));
    }
  });

  it('[34] accept what `openssl rand` makes, and no secret at all', () => {
    for (let round = 0; round < 20; round++) {
      const bytes = randomBytes(32);
      for (const encoding of ['hex', 'base64', 'base64url'] as const) {
        assert.deepEqual(mistakesIn(BASE, { JWT_SECRET: bytes.toString(encoding) }), []);
      }
    }
    assert.equal(load(BASE, { JWT_SECRET: '' }).settings.jwt?.secret, null);
    // Nobody uses it here.
    assert.deepEqual(mistakesIn(UPSTREAMS, { JWT_SECRET: 'short' }), []);
  });

  it('[32] take the secret that encrypts keys from SIGNALBOX_SECRET', () => {
    const { jwt } = load(BASE, { SIGNALBOX_SECRET: SECRET }).settings;
    assert.equal(jwt?.keySecret?.export().toString(), SECRET);
    const [mistake = ''] = mistakesIn(BASE, { SIGNALBOX_SECRET: 'short' });
    assert.match(mistake, /`SIGNALBOX_SECRET` cannot be used/);
  });

  it('are refused where they contradict each other', () => {
    const text = `${BASE}jwt: {access_token_expiration: 700, refresh_token_expiration: 600, session_expiration: 500, leeway_seconds: 61}`;
    assert.deepEqual(mistakesIn(text), [
      '3:32: jwt.access_token_expiration: found 700: is longer than `refresh_token_expiration`',
      '3:63: jwt.refresh_token_expiration: found 600: is longer than `session_expiration`',
      '3:109: jwt.leeway_seconds: found 61, expected a whole number of seconds from 0 to 60',
    ]);
  });

  it('refuse static tokens beside `jwt`, which would never be looked at', () => {
    const [mistake] = mistakesIn(`${UPSTREAMS}middleware: {auth: {auth_type: jwt, valid_tokens: [t]}}\n`);
    assert.match(`${mistake}`, /valid_tokens: does not work with `auth_type: jwt`/);
  });
});

describe('another issuer', () => {
  const issuerOf = (text: string) => load(`${BASE}jwt: {issuers: [${text}]}\n`).settings.jwt?.issuers[0];
  const mistakes = (text: string) => mistakesIn(`${BASE}jwt: {issuers: [${text}]}\n`).join('\n');

  it('publishes its keys at a URL', () => {
    assert.deepEqual(issuerOf(OTHER), {
      issuer: 'https://login.example.com',
      audience: 'api',
      keys: { kind: 'remote', uri: 'https://login.example.com/keys' },
    });
  });

  it('[35] publishes them by https, or in this machine', () => {
    const at = (uri: string) => mistakes(`{issuer: i, audience: a, jwks_uri: "${uri}"}`);
    for (const uri of ['https://a/k', 'http://127.0.0.1:1/k', 'http://localhost/k', 'http://[::1]:8/k']) {
      assert.equal(at(uri), '');
    }
    for (const uri of [
      'http://a/k',
      'http://127.0.0.1.evil.test/k',
      'ftp://a/k',
      'file:///etc/k',
      'https:',
    ]) {
      assert.match(at(uri), /expected a URL that begins with `https:\/\/`/);
    }
    assert.match(at('https://user:hunter2@a/k'), /expected a URL/);
    assert.match(at('http://localhost@a/k'), /expected a URL/);
  });

  it('[12] has a key that says itself how it is used', () => {
    const keys = { ed25519: 'EdDSA', ec: 'ES256', rsa: 'RS256' } as const;
    const options = { ed25519: {}, ec: { namedCurve: 'P-256' }, rsa: { modulusLength: 2048 } };
    for (const type of ['ed25519', 'ec', 'rsa'] as const) {
      const pem = JSON.stringify(pemOf(type, options[type]));
      const issuer = issuerOf(`{issuer: i, audience: a, kid: k, public_key: ${pem}}`);
      assert.ok(issuer?.keys.kind === 'fixed');
      assert.deepEqual([issuer.keys.key.kid, issuer.keys.key.alg], ['k', keys[type]]);
    }
  });

  it('has no key that is weak, private, or none', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const pems = [
      pemOf('rsa', { modulusLength: 1024 }),
      pemOf('ec', { namedCurve: 'P-521' }),
      `${privateKey.export({ format: 'pem', type: 'pkcs8' })}`,
      '-----BEGIN PUBLIC KEY-----',
      'hunter2',
    ];
    for (const pem of pems) {
      const told = mistakes(`{issuer: i, audience: a, kid: k, public_key: ${JSON.stringify(pem)}}`);
      assert.match(told, /expected a public key in PEM format/);
    }
  });

  it('has one source of keys, and a name of its own', () => {
    assert.match(mistakes('{issuer: i, audience: a}'), /needs either `jwks_uri` or `public_key`/);
    const pem = JSON.stringify(pemOf('ed25519'));
    assert.match(mistakes(`{issuer: i, audience: a, public_key: ${pem}}`), /`public_key` needs a `kid`/);
    assert.match(
      mistakes('{issuer: i, audience: a, kid: k, jwks_uri: "https://a/k"}'),
      /kid: .*works with `public_key` only/,
    );
    assert.match(mistakes(`${OTHER}, ${OTHER}`), /issuers\[1\]\.issuer: .*has the same name/);
    assert.match(mistakes('{issuer: signalbox, audience: a, jwks_uri: "https://a/k"}'), /has the same name/);
  });
});

describe('the database', () => {
  const database = (text: string, env = {}) => load(BASE + text, env).settings.database;

  it('is a file below the data folder, unless there is Postgres', () => {
    assert.deepEqual(database(''), { kind: 'sqlite', file: 'data/accounts.db' });
    const env = { SIGNALBOX_DATA_DIR: '/var/lib/signalbox' };
    assert.deepEqual(database('', env), { kind: 'sqlite', file: '/var/lib/signalbox/accounts.db' });
  });

  it('is where the file says, or else DATABASE_URL', () => {
    const inFile = 'postgres://u:p@db/accounts';
    const inEnvironment = { DATABASE_URL: 'postgresql://other/accounts' };
    const expected = { kind: 'postgres', connectionsMax: 10, connectionsMin: 1 };
    assert.deepEqual(database('', inEnvironment), { ...expected, url: inEnvironment.DATABASE_URL });
    assert.deepEqual(database(`database: {url: "${inFile}"}`, inEnvironment), { ...expected, url: inFile });
  });

  it('is no other kind, and its URL is not repeated', () => {
    const [mistake = ''] = mistakesIn(`${BASE}database: {url: "mysql://u:hunter2@db/accounts"}`);
    assert.match(mistake, /database\.url: found a text \(not shown\), expected a URL that begins with/);
    const [other = ''] = mistakesIn(`${BASE}database: {max_connections: 2, min_connections: 3}`);
    assert.match(other, /min_connections: found 3: is more than `max_connections`/);
  });
});
