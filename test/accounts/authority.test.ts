import assert from 'node:assert/strict';
import { createSecretKey, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as promisesToSettle } from 'node:timers/promises';
import { TokenAuthority } from '#accounts/authority.ts';
import { READ_AGAIN_MS } from '#accounts/keys/key-cache.ts';
import { PUBLISHED_BEFORE_MS } from '#accounts/keys/schedule.ts';
import type { KeyStore } from '#accounts/store/contract.ts';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import { openStore } from '#accounts/store/open.ts';
import type { JwtSettings } from '#core/account-settings.ts';
import { MissingKeys } from '#http/auth/jwt/missing-keys.ts';
import { TokenVerifier } from '#http/auth/jwt/token-verifier.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { OTHER, otherTokenOf } from '#test/support/tokens.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { jwtSettings, KeyServer, newKeyStore, publicJwk, publishing } from './support.ts';

const SUBJECT = { userId: 'user-1', email: 'ann@example.com', sessionId: 'session-1' };

/** An authority and a worker's verifier, which hear of each other as in an instance. */
async function instance(t: TestContext, changes: Partial<JwtSettings> = {}, given?: KeyStore) {
  const clock = new VirtualClock();
  const { log, lines } = keptLog();
  const store = given ?? (await newKeyStore(t, clock));
  const authority = await TokenAuthority.open(jwtSettings(changes), store, clock, log);
  t.after(() => authority[Symbol.asyncDispose]());
  const told = () => verifier.useKeyring(authority.keyring());
  const missing = new MissingKeys((issuer) => void authority.look(issuer).then(told), clock);
  const verifier = new TokenVerifier(authority.keyring(), missing, clock);
  authority.onChange = told;
  const userOf = async (token: string) => (await verifier.verify(token))?.user ?? null;
  return { clock, lines, store, authority, userOf };
}

function remote(uri: string): Partial<JwtSettings> {
  return { issuers: [{ issuer: OTHER.issuer, audience: OTHER.audience, keys: { kind: 'remote', uri } }] };
}

const OTHERS_USER = `${OTHER.issuer} ann`;

describe('own tokens', () => {
  it('are issued and accepted', async (t) => {
    const { authority, userOf } = await instance(t);
    const { token } = await authority.tokens.issueAccessToken(SUBJECT);
    assert.equal(await userOf(token), 'user-1');
  });

  it('[34] are issued with HS256 where there is a secret, and no key is published', async (t) => {
    const { authority, userOf } = await instance(t, { secret: createSecretKey(randomBytes(32)) });
    const { token } = await authority.tokens.issueAccessToken(SUBJECT);
    assert.equal(await userOf(token), 'user-1');
    assert.equal(authority.jwks(), '{"keys":[]}');
  });

  it('[33] are accepted through a rotation without a gap, by whichever key they are signed', async (t) => {
    const { clock, authority, userOf } = await instance(t);
    const before = await authority.tokens.issueAccessToken(SUBJECT);
    await authority.rotate();
    assert.equal(JSON.parse(authority.jwks()).keys.length, 2);
    for (let second = 0; second < PUBLISHED_BEFORE_MS / 1000 + 60; second += 30) {
      const { token } = await authority.tokens.issueAccessToken(SUBJECT);
      assert.equal(await userOf(token), 'user-1', `after ${second} s`);
      assert.equal(await userOf(before.token), 'user-1', `after ${second} s`);
      await clock.advanceAsync(30_000);
    }
    await clock.advanceAsync(3_600_000);
    assert.equal(JSON.parse(authority.jwks()).keys.length, 1);
  });

  it('[33] are accepted in an instance that has not heard of the rotation, because it reads the keys', async (t) => {
    const one = await instance(t);
    const two = await instance(t, {}, one.store);
    await one.authority.rotate();
    for (const { clock } of [one, two]) await clock.advanceAsync(PUBLISHED_BEFORE_MS);
    const { token } = await one.authority.tokens.issueAccessToken(SUBJECT);
    assert.equal(await two.userOf(token), 'user-1');
  });

  it('[33] are refused when their key is deleted, and others signed by a new one: what to do when it was stolen', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'signalbox-stolen-'));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, 'accounts.db');
    const store = await openStore({ kind: 'sqlite', file }, new VirtualClock());
    t.after(() => store[Symbol.asyncDispose]());
    const one = await instance(t, {}, store.keys);
    const two = await instance(t, {}, store.keys);
    const { token } = await one.authority.tokens.issueAccessToken(SUBJECT);
    assert.equal(await two.userOf(token), 'user-1');

    const database = new DatabaseSync(file);
    database.exec('DELETE FROM signing_keys');
    database.close();
    for (const { clock } of [one, two]) await clock.advanceAsync(READ_AGAIN_MS);
    for (const { userOf } of [one, two]) {
      await until('the key is gone', async () => (await userOf(token)) === null);
    }
    const { token: next } = await one.authority.tokens.issueAccessToken(SUBJECT);
    assert.equal(await two.userOf(next), 'user-1');
    assert.deepEqual(
      one.authority.keys().map(({ kid }) => kid),
      two.authority.keys().map(({ kid }) => kid),
    );
  });

  it('are accepted while the database is away', async (t) => {
    const clock = new VirtualClock();
    const keys = await newKeyStore(t, clock);
    let isAway = false;
    const store: KeyStore = {
      ...keys,
      list: () => (isAway ? Promise.reject(new StoreUnavailable('away')) : keys.list()),
    };
    const { clock: time, authority, userOf, lines } = await instance(t, {}, store);
    const { token } = await authority.tokens.issueAccessToken(SUBJECT);
    isAway = true;
    await time.advanceAsync(10 * 60_000);
    assert.equal(await userOf(token), 'user-1');
    assert.equal(lines.filter((line) => line.includes('could not be read')).length, 1);
    await assert.rejects(authority.rotate(), { code: 'store_unavailable' });
  });

  it('[32] are not issued by an instance without the secret of the keys: it does not start', async (t) => {
    const keySecret = createSecretKey(randomBytes(32));
    const { store, lines } = await instance(t, { keySecret });
    assert.deepEqual(lines, []);
    await assert.rejects(instance(t, {}, store), { code: 'signing_key_locked' });
    await assert.rejects(instance(t, { keySecret: createSecretKey(randomBytes(32)) }, store), {
      code: 'signing_key_locked',
    });
  });

  it('[32] are signed by keys in plain text only with a warning, which says what to do', async (t) => {
    const { store, lines } = await instance(t);
    assert.match(lines.join(''), /"level":40.*not encrypted in the database: set SIGNALBOX_SECRET/);
    const second = await instance(t, { keySecret: createSecretKey(randomBytes(32)) }, store);
    assert.match(second.lines.join(''), /"level":40.*made without SIGNALBOX_SECRET.*rotate/);
  });

  it('[46] leave nothing secret in the log', async (t) => {
    const secret = createSecretKey(randomBytes(32));
    const { authority, lines } = await instance(t, { keySecret: secret });
    const { token } = await authority.tokens.issueAccessToken(SUBJECT);
    await authority.rotate();
    const logged = lines.join('');
    assert.match(logged, /signing keys rotated/);
    for (const hidden of [token, secret.export().toString('base64'), secret.export().toString('hex')]) {
      assert.ok(!logged.includes(hidden));
    }
  });
});

describe("another issuer's tokens", () => {
  it('[35] are accepted by the keys that it publishes, from the first request on', async (t) => {
    const server = await KeyServer.start(t, publishing([await publicJwk('ES256')]));
    const { userOf } = await instance(t, remote(server.uri));
    assert.equal(await userOf(otherTokenOf()), OTHERS_USER);
    assert.equal(server.requests, 1);
  });

  it('[35] are accepted by a key that the configuration has', async (t) => {
    const [key] = OTHER.keys.filter(({ alg }) => alg === 'RS256');
    assert.ok(key !== undefined);
    const issuer = { issuer: OTHER.issuer, audience: OTHER.audience, keys: { kind: 'fixed', key } } as const;
    const { userOf } = await instance(t, { issuers: [issuer] });
    assert.equal(await userOf(otherTokenOf({ alg: 'RS256' })), OTHERS_USER);
    assert.equal(await userOf(otherTokenOf({ alg: 'ES256' })), null);
  });

  it('[35] are accepted by a new key with the first token that names it', async (t) => {
    const server = await KeyServer.start(t, publishing([await publicJwk('ES256')]));
    const { clock, userOf } = await instance(t, remote(server.uri));
    assert.equal(await userOf(otherTokenOf()), OTHERS_USER);
    server.answer = publishing([await publicJwk('ES256'), await publicJwk('RS256')]);
    clock.advance(READ_AGAIN_MS);
    const tokens = [otherTokenOf({ alg: 'RS256' }), otherTokenOf({ alg: 'RS256', claims: { jti: 'x' } })];
    assert.deepEqual(await Promise.all(tokens.map(userOf)), [OTHERS_USER, OTHERS_USER]);
    assert.equal(server.requests, 2);
  });

  it('[35] with made-up key names make the endpoint be asked at most every 30 seconds', async (t) => {
    const server = await KeyServer.start(t, publishing([await publicJwk('ES256')]));
    const { clock, userOf } = await instance(t, remote(server.uri));
    for (let attempt = 0; attempt < 60; attempt++) {
      assert.equal(await userOf(otherTokenOf({ header: { kid: `made up ${attempt}` } })), null);
      clock.advance(1_000);
    }
    // Once at the start, and then in two half minutes.
    assert.ok(server.requests <= 3, `${server.requests} requests`);
  });

  it('[35] stay accepted while the endpoint is down, broken, or says something else', async (t) => {
    const server = await KeyServer.start(t, publishing([await publicJwk('ES256')]));
    const { clock, authority, userOf } = await instance(t, remote(server.uri));
    assert.equal(await userOf(otherTokenOf()), OTHERS_USER);
    for (const answer of ['', '<html>', '{"keys":1}', 'x'.repeat(100_000)]) {
      server.answer = (_, response) => response.end(answer);
      clock.advance(READ_AGAIN_MS);
      const before = server.requests;
      await authority.look(OTHER.issuer);
      assert.ok(server.requests > before);
      const token = otherTokenOf({ claims: { jti: answer.slice(0, 9), exp: clock.wallMs() / 1000 + 60 } });
      assert.equal(await userOf(token), OTHERS_USER);
    }
  });

  it('[22] are refused when their key is no longer published', async (t) => {
    const server = await KeyServer.start(t, publishing([await publicJwk('ES256'), await publicJwk('RS256')]));
    const { clock, userOf } = await instance(t, remote(server.uri));
    const token = otherTokenOf({ claims: { exp: clock.wallMs() / 1000 + 3600 } });
    assert.equal(await userOf(token), OTHERS_USER);
    server.answer = publishing([await publicJwk('RS256')]);
    await clock.advanceAsync(5 * 60_000);
    await until('the keys are read again', () => server.requests > 1);
    await promisesToSettle();
    await until('the token is refused', async () => (await userOf(token)) === null);
  });

  it('are no reason not to start when their keys cannot be had, and are accepted once they can', async (t) => {
    const server = await KeyServer.start(t, (_, response) => response.writeHead(500).end());
    const { clock, userOf, lines } = await instance(t, remote(server.uri));
    assert.equal(await userOf(otherTokenOf()), null);
    assert.match(lines.join(''), /login\.example\.com.*status 500/);
    server.answer = publishing([await publicJwk('ES256')]);
    clock.advance(READ_AGAIN_MS);
    assert.equal(await userOf(otherTokenOf()), OTHERS_USER);
  });
});

describe('a change of the issuers', () => {
  it('accepts tokens of those that have come, and no more of those that have gone', async (t) => {
    const server = await KeyServer.start(t, publishing([await publicJwk('ES256')]));
    const { authority, userOf } = await instance(t);
    const token = otherTokenOf();
    assert.equal(await userOf(token), null);
    const { issuers = [] } = remote(server.uri);
    authority.trust(issuers);
    await until('its keys are there', async () => (await userOf(token)) === OTHERS_USER);
    authority.trust([]);
    assert.equal(await userOf(token), null);
  });

  it('keeps the keys of those that stay, and asks no more for those of others', async (t) => {
    const [kept, gone] = await Promise.all(
      [1, 2].map(async () => KeyServer.start(t, publishing([await publicJwk('ES256')]))),
    );
    assert.ok(kept !== undefined && gone !== undefined);
    const { issuers = [] } = remote(kept.uri);
    const other = {
      issuer: 'https://gone.example',
      audience: 'a',
      keys: { kind: 'remote', uri: gone.uri },
    } as const;
    const { clock, authority } = await instance(t, { issuers: [...issuers, other] });
    await until('both are asked', () => kept.requests === 1 && gone.requests === 1);
    authority.trust(issuers);
    await clock.advanceAsync(5 * 60_000);
    await until('the one is asked again', () => kept.requests === 2);
    assert.equal(gone.requests, 1);
  });
});
