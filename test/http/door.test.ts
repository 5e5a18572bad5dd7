import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestHead } from '#actors/request/exchange.ts';
import { fieldName } from '#core/field-names.ts';
import { Fields } from '#core/fields.ts';
import type { Access, Door } from '#core/table.ts';
import { enter } from '#http/door.ts';

function head(clientAddress: string, changes: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'GET',
    target: '/',
    path: '/',
    host: 'example.com',
    headers: new Fields(),
    clientAddress,
    peerAddress: clientAddress,
    peerTrusted: false,
    scheme: 'http',
    tls: null,
    protocol: '1.1',
    upgrade: null,
    receivedMs: 0,
    ...changes,
  };
}

const isLetIn = (access: Access, address: string) =>
  enter({ access, cors: null }, head(address)).answer === null;

describe('the door', () => {
  it('is open to everyone where nothing is said', () => {
    const { notices, answer } = enter({ access: null, cors: null }, head(''));
    assert.deepEqual([notices.flat(), answer], [[], null]);
  });

  it('lets in only who is allowed', () => {
    const access = { allow: ['10.0.0.0/8', '2001:db8::/32', '192.0.2.7'], deny: [] };
    for (const address of ['10.1.2.3', '2001:db8:1::9', '192.0.2.7'])
      assert.ok(isLetIn(access, address), address);
    for (const address of ['11.1.2.3', '192.0.2.8', '2001:db9::1', '::1', ''])
      assert.ok(!isLetIn(access, address), address);
  });

  it('lets in all but who is denied', () => {
    const access = { allow: [], deny: ['192.0.2.0/24'] };
    assert.ok(isLetIn(access, '198.51.100.1'));
    assert.ok(!isLetIn(access, '192.0.2.200'));
  });

  it('denies before it allows', () => {
    const access = { allow: ['10.0.0.0/8'], deny: ['10.9.0.0/16'] };
    assert.ok(isLetIn(access, '10.8.0.1'));
    assert.ok(!isLetIn(access, '10.9.0.1'));
  });

  const cors = {
    origins: ['https://app.example.com'],
    methods: 'GET',
    headers: '',
    exposedHeaders: '',
    hasCredentials: false,
    maxAgeSeconds: 5,
  };
  const preflight = {
    method: 'OPTIONS',
    headers: Fields.of(['Origin', 'https://app.example.com', 'Access-Control-Request-Method', 'GET']),
  };

  it('answers a preflight, but not to who is denied', () => {
    const { notices, answer } = enter({ access: null, cors }, head('192.0.2.1', preflight));
    assert.ok(notices.has(fieldName('Access-Control-Max-Age')));
    assert.deepEqual(answer, { status: 204, headers: [], body: new Uint8Array(0) });
    const closed: Door = { access: { allow: [], deny: ['0.0.0.0/0'] }, cors };
    assert.equal(enter(closed, head('192.0.2.1', preflight)).answer, 'access_denied');
  });

  it('leaves preflights to the upstream where nothing is said', () => {
    const { notices, answer } = enter({ access: null, cors: null }, head('', preflight));
    assert.deepEqual([notices.flat(), answer], [[], null]);
  });
});
