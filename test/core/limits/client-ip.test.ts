import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { normaliseClientIp, UNKNOWN_CLIENT_IP } from '#core/limits/client-ip.ts';

describe("a client's address", () => {
  it('is itself when it is IPv4', () => {
    assert.equal(normaliseClientIp('203.0.113.7', 64), '203.0.113.7');
  });

  it('is IPv4 also when it is mapped into IPv6', () => {
    for (const address of ['::ffff:203.0.113.7', '::FFFF:cb00:7107', '0:0:0:0:0:ffff:203.0.113.7']) {
      assert.equal(normaliseClientIp(address, 64), '203.0.113.7');
    }
  });

  it('is its network when it is IPv6, so that a customer is one client', () => {
    const addresses = ['2001:db8:1:2::1', '2001:DB8:1:2:ffff:ffff:ffff:ffff', '2001:db8:1:2::5%eth0'];
    for (const address of addresses) assert.equal(normaliseClientIp(address, 64), '2001:db8:1:2::/64');
    assert.equal(normaliseClientIp('2001:db8:1:3::1', 64), '2001:db8:1:3::/64');
  });

  it('is cut after any number of bits', () => {
    const address = '2001:db8:1:2ff:4:5:6:7';
    assert.equal(normaliseClientIp(address, 128), '2001:db8:1:2ff:4:5:6:7/128');
    assert.equal(normaliseClientIp(address, 56), '2001:db8:1:200::/56');
    assert.equal(normaliseClientIp(address, 48), '2001:db8:1::/48');
    assert.equal(normaliseClientIp(address, 0), '::/0');
  });

  it('is one and the same for all that is no address, so that nobody gains by sending nonsense', () => {
    for (const address of [
      '',
      'localhost',
      '1.2.3',
      '01.2.3.4',
      '0x7f.0.0.1',
      '1.2.3.4:80',
      '::1::2',
      '1:2',
    ]) {
      assert.equal(normaliseClientIp(address, 64), UNKNOWN_CLIENT_IP);
    }
  });
});
