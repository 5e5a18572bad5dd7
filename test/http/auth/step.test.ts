import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as promisesToSettle } from 'node:timers/promises';
import type { Exchange } from '#actors/request/exchange.ts';
import type { Proven, Refused } from '#actors/request/steps.ts';
import { Fields } from '#core/fields.ts';
import type { Auth } from '#core/table.ts';
import { createAuthenticator } from '#http/auth/authenticator.ts';
import { PASSWORD_CHECKS_MAX, PASSWORD_CHECKS_WAITING_MAX } from '#http/auth/password-checks.ts';
import { authenticateStep } from '#http/auth/step.ts';
import { authOf, base64, NO_TOKENS } from '#test/support/auth.ts';

const basic = authOf([], { scheme: 'basic', users: { ann: '$argon2id$v=19$m=8,t=1,p=1$AAAA$right' } });

/** Runs the step on a request, with a hash function under which a password is its own digest. */
function authenticating(verify = async (hash: string, password: string) => hash.endsWith(`$${password}`)) {
  const step = authenticateStep(createAuthenticator(verify, NO_TOKENS));
  return (auth: Auth | null, ...headers: string[]) => {
    const exchange = { route: { auth }, request: { headers: Fields.of(headers) } } as unknown as Exchange;
    const told: (Proven | Refused)[] = [];
    const work = step({ exchange }, { tell: (outcome) => told.push(outcome) });
    return { told, work };
  };
}

describe('the step `authenticate`', () => {
  it('lets everyone pass where the route asks for no credentials', () => {
    const { told, work } = authenticating()(null);
    assert.deepEqual(told, [{ type: 'identity.proven', identity: null }]);
    assert.equal(work, undefined);
  });

  it('tells at once who holds a token', () => {
    const { told } = authenticating()(authOf(['t']), 'Authorization', 'Bearer t');
    assert.equal(told.length, 1);
    assert.equal(told[0]?.type, 'identity.proven');
  });

  it('asks for credentials with a bare challenge when there are none', () => {
    const { told } = authenticating()(authOf(['t']), 'Host', 'a');
    const refusal = { cause: 'credentials_missing', challenge: 'Bearer realm="signalbox"' };
    assert.deepEqual(told, [{ type: 'request.refused', refusal }]);
  });

  it('gives wrong and malformed credentials the same refusal', () => {
    const authenticate = authenticating();
    const wrong = authenticate(authOf(['t']), 'Authorization', 'Bearer u');
    const malformed = authenticate(authOf(['t']), 'Authorization', 'Bearer a b');
    const challenge = 'Bearer realm="signalbox", error="invalid_token"';
    const refusal = { cause: 'credentials_invalid', challenge };
    assert.deepEqual(wrong.told, [{ type: 'request.refused', refusal }]);
    assert.deepEqual(malformed.told, wrong.told);
  });

  it('refuses two sets of credentials, one of them right', () => {
    const { told } = authenticating()(
      authOf(['t']),
      'Authorization',
      'Bearer t',
      'Authorization',
      'Bearer u',
    );
    assert.deepEqual(told, [{ type: 'request.refused', refusal: { cause: 'ambiguous_credentials' } }]);
  });

  it('tells who a user is when the password has been checked, and at once the next time', async () => {
    const authenticate = authenticating();
    const first = authenticate(basic, 'Authorization', `Basic ${base64('ann:right')}`);
    assert.deepEqual(first.told, []);
    await promisesToSettle();
    const identity = { key: 'user:ann', user: 'ann', apiKeyDigest: null };
    assert.deepEqual(first.told, [{ type: 'identity.proven', identity }]);

    const second = authenticate(basic, 'Authorization', `Basic ${base64('ann:right')}`);
    assert.deepEqual(second.told, first.told);
  });

  it('tells nothing after it was stopped', async () => {
    const { told, work } = authenticating()(basic, 'Authorization', `Basic ${base64('ann:right')}`);
    work?.stop();
    await promisesToSettle();
    assert.deepEqual(told, []);
  });

  it('sends clients away when too many passwords wait to be checked', () => {
    const authenticate = authenticating(() => new Promise(() => {}));
    for (let guess = 0; guess < PASSWORD_CHECKS_MAX + PASSWORD_CHECKS_WAITING_MAX; guess++) {
      assert.deepEqual(authenticate(basic, 'Authorization', `Basic ${base64(`ann:${guess}`)}`).told, []);
    }
    const { told } = authenticate(basic, 'Authorization', `Basic ${base64('ann:right')}`);
    const refusal = { cause: 'overloaded' };
    assert.deepEqual(told, [{ type: 'request.refused', refusal }]);
  });

  it('takes the blame when a hash cannot be read', async () => {
    const authenticate = authenticating(() => Promise.reject(new Error('not a hash')));
    const { told } = authenticate(basic, 'Authorization', `Basic ${base64('ann:right')}`);
    await promisesToSettle();
    assert.deepEqual(told, [{ type: 'request.refused', refusal: { cause: 'internal' } }]);
  });
});
