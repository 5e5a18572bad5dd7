import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import argon2 from 'argon2';
import fc from 'fast-check';
import { readCredentials } from '#core/auth/credentials.ts';
import { Fields } from '#core/fields.ts';
import type { Auth } from '#core/table.ts';
import { createAuthenticator } from '#http/auth/authenticator.ts';
import type { VerifyPassword } from '#http/auth/password-checks.ts';
import { authOf, base64, NO_TOKENS } from '#test/support/auth.ts';

/** As weak as argon2 goes, because the tests do not need it to be slow. */
const CHEAP = { memoryCost: 1024, timeCost: 2, parallelism: 1 };

async function presenting(auth: Auth, value: string, verify: VerifyPassword = argon2.verify) {
  const name = auth.scheme === 'api_key' ? auth.header : 'Authorization';
  const credentials = readCredentials(auth, Fields.of([name, value]));
  assert.ok('token' in credentials);
  return createAuthenticator(verify, NO_TOKENS).verify(auth, credentials);
}

describe('the authenticator', () => {
  it('knows a token at once, without a promise', () => {
    const auth = authOf(['dev-token-123']);
    const { verify } = createAuthenticator(argon2.verify, NO_TOKENS);
    const identity = verify(auth, { token: 'dev-token-123', login: null });
    assert.ok(!(identity instanceof Promise) && typeof identity === 'object');
    assert.equal(verify(auth, { token: 'Dev-Token-123', login: null }), 'credentials_invalid');
  });

  it('takes a bare token behind Basic, but not a token in base64', async () => {
    const auth = authOf(['dev-token-123'], { scheme: 'basic' });
    assert.equal(typeof (await presenting(auth, 'Basic dev-token-123')), 'object');
    assert.equal(await presenting(auth, `Basic ${base64('dev-token-123')}`), 'credentials_invalid');
  });

  it('takes the password of a listed user', async () => {
    const auth = authOf([], { scheme: 'basic', users: { ann: await argon2.hash('café', CHEAP) } });
    assert.deepEqual(await presenting(auth, `Basic ${base64('ann:cafe\u0301')}`), {
      key: 'user:ann',
      user: 'ann',
      apiKeyDigest: null,
    });
    assert.equal(await presenting(auth, `Basic ${base64('ann:cafe')}`), 'credentials_invalid');
  });

  it('spends on an unknown user what it spends on a wrong password', async () => {
    const auth = authOf([], { scheme: 'basic', users: { ann: await argon2.hash('x', CHEAP) } });
    const costs: string[] = [];
    const verify = async (hash: string, password: string) => {
      costs.push(hash.split('$').slice(0, 4).join('$'));
      return argon2.verify(hash, password);
    };
    assert.equal(await presenting(auth, `Basic ${base64('ann:wrong')}`, verify), 'credentials_invalid');
    assert.equal(await presenting(auth, `Basic ${base64('bob:wrong')}`, verify), 'credentials_invalid');
    assert.equal(costs.length, 2);
    assert.equal(costs[0], costs[1]);
  });

  it('refuses an unknown user even if the check said yes', async () => {
    const auth = authOf([], { scheme: 'basic', users: { ann: await argon2.hash('x', CHEAP) } });
    for (const user of ['bob', '__proto__', 'constructor', 'toString']) {
      const verdict = await presenting(auth, `Basic ${base64(`${user}:x`)}`, async () => true);
      assert.equal(verdict, 'credentials_invalid', user);
    }
  });

  it('hashes nothing when no user is listed', async () => {
    const auth = authOf(['t'], { scheme: 'basic' });
    const verify = async () => assert.fail('nothing to hash');
    assert.equal(await presenting(auth, `Basic ${base64('ann:x')}`, verify), 'credentials_invalid');
  });

  it('never accepts what is not listed', async () => {
    const words = fc.constantFrom('a', 'b', 'ab', 'a:b', 'YTpi', base64('a:b'), base64('a'));
    const auths = fc.record({ tokens: fc.array(words), users: fc.dictionary(words, words) });
    const verify = async (hash: string, password: string) => hash === password;
    await fc.assert(
      fc.asyncProperty(auths, words, words, async ({ tokens, users }, user, password) => {
        const auth = authOf(tokens, { scheme: 'basic', users });
        const sent = base64(`${user}:${password}`);
        const verdict = await createAuthenticator(verify, NO_TOKENS).verify(auth, {
          token: sent,
          login: { user, password },
        });
        const isListed = tokens.includes(sent) || (Object.hasOwn(users, user) && users[user] === password);
        assert.equal(typeof verdict === 'object', isListed);
      }),
    );
  });
});
