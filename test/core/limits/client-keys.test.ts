import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { clientKey, type RequestFacts } from '#core/limits/client-key.ts';
import { CLIENT_LENGTH_MAX, CLIENTS_REMEMBERED_MAX, ClientKeys } from '#core/limits/client-keys.ts';
import type { Limit, RequestKey } from '#core/table.ts';

function request(facts: Partial<RequestFacts>): RequestFacts {
  const address = facts.clientAddress ?? '203.0.113.7';
  return {
    clientAddress: address,
    clientIp: `ip of ${address}`,
    user: null,
    apiKeyDigest: null,
    routeName: 'default',
    path: '/',
    header: () => null,
    ...facts,
  };
}

function limitBy(name: string, ...key: readonly RequestKey[]): Limit {
  const quota = { kind: 'sliding_window', requests: 1, windowMs: 1_000 } as const;
  return { name, key, quota, tiers: [], isShared: true };
}

describe('the clients of limits', () => {
  it('have the keys that they are given without being remembered', () => {
    const kinds = fc.constantFrom<RequestKey['kind']>('client_ip', 'user', 'api_key', 'route', 'path');
    const keys = fc.array(
      kinds.map((kind) => ({ kind }) as RequestKey),
      { minLength: 1, maxLength: 2 },
    );
    const text = fc.constantFrom('a', 'b', '', 'c'.repeat(CLIENT_LENGTH_MAX + 1));
    const facts = fc.record({
      clientAddress: text,
      user: fc.option(text),
      apiKeyDigest: fc.option(text),
      routeName: text,
      path: text,
    });
    fc.assert(
      fc.property(fc.array(keys, { minLength: 1, maxLength: 4 }), fc.array(facts), (limitKeys, requests) => {
        const clients = new ClientKeys();
        const limits = limitKeys.map((key, nth) => limitBy(`limit ${nth}`, ...key));
        for (const one of requests.map(request))
          for (const limit of limits) assert.equal(clients.of(limit, one).text, clientKey(limit, one));
      }),
    );
  });

  it('are remembered by what the limit asks for, or by their address', () => {
    const clients = new ClientKeys();
    const byUser = limitBy('user', { kind: 'user' });
    const ann = clients.of(byUser, request({ user: 'ann' }));
    assert.equal(clients.of(byUser, request({ user: 'ann', clientAddress: '::1' })), ann);
    assert.equal(clients.of(byUser, request({})), clients.of(byUser, request({})));
    assert.notEqual(clients.of(limitBy('other', { kind: 'user' }), request({ user: 'ann' })), ann);
  });

  it('are remembered up to a number', () => {
    const clients = new ClientKeys();
    const byIp = limitBy('ip', { kind: 'client_ip' });
    const first = clients.of(byIp, request({}));
    for (let nth = 0; nth < 2 * CLIENTS_REMEMBERED_MAX; nth++)
      clients.of(byIp, request({ clientAddress: `${nth}` }));
    assert.notEqual(clients.of(byIp, request({})), first);
  });
});
