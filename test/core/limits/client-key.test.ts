import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { chooseQuota, clientKey, type RequestFacts } from '#core/limits/client-key.ts';
import type { Limit, Quota, RequestKey } from '#core/table.ts';

const basic: Quota = { kind: 'sliding_window', requests: 1, windowMs: 1_000 };
const premium: Quota = { kind: 'sliding_window', requests: 10, windowMs: 1_000 };
const partner: Quota = { kind: 'gcra', requests: 50, windowMs: 1_000, burst: 50 };

type Headers = Readonly<Record<string, string>>;

function request(facts: Partial<RequestFacts>, headers: Headers = {}): RequestFacts {
  return {
    clientAddress: '203.0.113.7',
    clientIp: '203.0.113.7',
    user: null,
    apiKeyDigest: null,
    routeName: 'default',
    path: '/',
    header: (name) => headers[name] ?? null,
    ...facts,
  };
}

function limitBy(...key: readonly RequestKey[]): Limit {
  return { name: 'default', key, quota: basic, tiers: [], isShared: true };
}

const byIp = limitBy({ kind: 'client_ip' });
const byAppId = limitBy({ kind: 'header', name: 'appid' });

describe('the key of a client', () => {
  it('tells apart what the limit asks for, and nothing else', () => {
    const cases: [RequestKey, RequestFacts, RequestFacts][] = [
      [{ kind: 'client_ip' }, request({ clientIp: '192.0.2.1' }), request({ clientIp: '192.0.2.2' })],
      [{ kind: 'user' }, request({ user: 'ann' }), request({ user: 'bob' })],
      [{ kind: 'api_key' }, request({ apiKeyDigest: 'aa' }), request({ apiKeyDigest: 'ab' })],
      [{ kind: 'route' }, request({ routeName: 'a' }), request({ routeName: 'b' })],
      [{ kind: 'path' }, request({ path: '/a' }), request({ path: '/b' })],
      [{ kind: 'header', name: 'appid' }, request({}, { appid: '1' }), request({}, { appid: '2' })],
    ];
    for (const [key, one, other] of cases) {
      assert.notEqual(clientKey(limitBy(key), one), clientKey(limitBy(key), other));
      assert.notEqual(clientKey(limitBy(key), one), clientKey({ ...limitBy(key), name: 'strict' }, one));
    }
    assert.equal(clientKey(byIp, request({ user: 'ann' })), clientKey(byIp, request({ user: 'bob' })));
  });

  it('falls back to the address when what is asked for is missing or empty', () => {
    const user = limitBy({ kind: 'user' });
    const apiKey = limitBy({ kind: 'api_key' });
    for (const limit of [byAppId, user, apiKey])
      assert.equal(clientKey(limit, request({})), clientKey(byIp, request({})));
    assert.equal(clientKey(byAppId, request({}, { appid: '' })), clientKey(byIp, request({})));
    assert.notEqual(clientKey(byAppId, request({})), clientKey(byAppId, request({ clientIp: '192.0.2.1' })));
  });

  it('is not that of another client because a header has the text of an address', () => {
    const forged = request({ clientIp: '192.0.2.66' }, { appid: '203.0.113.7' });
    assert.notEqual(clientKey(byAppId, forged), clientKey(byAppId, request({})));
  });

  it('tells long header values apart by their last character', () => {
    const [one, other] = ['a', 'b'].map((end) => request({}, { appid: 'x'.repeat(10_000) + end }));
    assert.ok(one && other);
    assert.notEqual(clientKey(byAppId, one), clientKey(byAppId, other));
  });

  it('is equal for two requests only if all its parts are', () => {
    const limit = limitBy({ kind: 'header', name: 'a' }, { kind: 'user' }, { kind: 'header', name: 'b' });
    // Texts made of what keys themselves are made of, to provoke ambiguity.
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^(user |header |client_ip |[0-3]:|1)*$/));
    const parts = fc.tuple(texts, texts, texts);
    const keyOf = ([a, user, b]: readonly string[]) =>
      clientKey(limit, request({ user: user ?? '' }, { a: a ?? '', b: b ?? '' }));
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const equal = one.every((text, index) => text === other[index]);
        assert.equal(keyOf(one) === keyOf(other), equal);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('tiers', () => {
  const limit: Limit = {
    ...byAppId,
    tiers: [
      { match: { kind: 'user' }, values: ['ann'], quota: partner },
      { match: { kind: 'header', name: 'appid' }, values: ['gold', 'platinum'], quota: premium },
    ],
  };

  it('replace the quota for the users and header values they name', () => {
    assert.equal(chooseQuota(limit, request({ user: 'ann' })), partner);
    assert.equal(chooseQuota(limit, request({}, { appid: 'platinum' })), premium);
  });

  it('leave everyone else to the quota of the limit', () => {
    assert.equal(chooseQuota(limit, request({ user: 'bob' }, { appid: 'tin' })), basic);
    assert.equal(chooseQuota(limit, request({})), basic);
  });

  it('are tried in their order', () => {
    assert.equal(chooseQuota(limit, request({ user: 'ann' }, { appid: 'gold' })), partner);
  });
});
