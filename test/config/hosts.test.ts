import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isAddressBlock, isAuthority, isHost, parseEndpoint, parseUpstreamUrl } from '#config/hosts.ts';

function expectAll(check: (text: string) => unknown, expected: boolean, texts: readonly string[]): void {
  for (const text of texts) assert.equal(Boolean(check(text)), expected, text);
}

describe('hosts', () => {
  it('are addresses and names', () => {
    expectAll(isHost, true, [
      'a',
      'a-b.example',
      'my_service',
      '127.0.0.1',
      '::1',
      'xn--bcher-kva.example',
      '1a',
    ]);
    expectAll(isHost, false, [
      '',
      '.',
      'a..b',
      'a.',
      '-a',
      'a-',
      '1.2.3',
      '127.0.0.256',
      '[::1]',
      'a:1',
      'ä',
      'a/b',
    ]);
    expectAll(isHost, false, [`fe80::1%${'z'.repeat(254)}`, `${'a'.repeat(64)}.b`, `${'a.'.repeat(127)}b`]);
  });

  it('are named in a Host header with or without a port', () => {
    expectAll(isAuthority, true, ['a', 'a:1', '1.2.3.4', '[::1]', '[::1]:80']);
    expectAll(isAuthority, false, ['', 'a:', 'a:0', '::1', 'http://a', 'a b']);
  });
});

describe('address blocks', () => {
  it('are addresses, alone or with a number of bits', () => {
    expectAll(isAddressBlock, true, ['10.0.0.1', '10.0.0.0/0', '10.0.0.0/32', '::/0', '2001:db8::/128']);
    expectAll(isAddressBlock, false, [
      '',
      '10.0.0.0/',
      '10.0.0.0/33',
      '::/129',
      '10.0.0.0/8/8',
      '10/8',
      'a/8',
      '::/-1',
    ]);
  });
});

describe('parseEndpoint', () => {
  it('reads an address and a port', () => {
    assert.deepEqual(parseEndpoint('localhost:1'), { address: 'localhost', port: 1 });
    assert.deepEqual(parseEndpoint('[::1]:65535'), { address: '::1', port: 65_535 });
    expectAll(parseEndpoint, false, [
      '',
      'a',
      ':1',
      'a:0',
      'a:65536',
      '::1:1',
      '[a]:1',
      '[127.0.0.1]:1',
      'a:1x',
    ]);
  });
});

describe('parseUpstreamUrl', () => {
  it('reads an origin', () => {
    assert.deepEqual(parseUpstreamUrl('http://a'), { address: 'a', port: 80, tls: false });
    assert.deepEqual(parseUpstreamUrl('https://[::1]:8443/'), { address: '::1', port: 8443, tls: true });
    expectAll(parseUpstreamUrl, false, [
      'a',
      '//a',
      'ftp://a',
      'http://',
      'http://a/b',
      'http://a?b',
      'http://u@a',
    ]);
  });
});
