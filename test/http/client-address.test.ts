import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fields } from '#core/fields.ts';
import { addressBlocks } from '#http/address-blocks.ts';
import { clientAddress, peerAddress } from '#http/client-address.ts';

const PROXY = '10.0.0.1';
const TRUSTED = addressBlocks(['10.0.0.0/8', '2001:db8::/32', '192.0.2.7']);

function client(forwardedFor: string | string[], peer = PROXY): string {
  const lines = [forwardedFor].flat();
  return clientAddress(peer, Fields.of(lines.flatMap((line) => ['X-Forwarded-For', line])), TRUSTED);
}

describe('trusted proxies', () => {
  it('are addresses and blocks of both families', () => {
    for (const address of [
      '10.0.0.0',
      '10.255.255.255',
      '192.0.2.7',
      '2001:db8::1',
      '2001:DB8:ffff::',
      '::ffff:10.1.2.3',
    ])
      assert.ok(TRUSTED.has(address), address);
    for (const address of ['9.255.255.255', '11.0.0.0', '192.0.2.8', '2001:db9::', '::1', '::ffff:11.0.0.0'])
      assert.ok(!TRUSTED.has(address), address);
  });

  it('are nobody where none are listed', () => {
    for (const address of ['127.0.0.1', '::1', '10.0.0.1', ''])
      assert.ok(!addressBlocks([]).has(address), address);
  });

  it('may be everybody', () => {
    const everybody = addressBlocks(['0.0.0.0/0', '::/0']);
    for (const address of ['127.0.0.1', '::1', '255.255.255.255']) assert.ok(everybody.has(address), address);
  });

  it('are no text that is no address', () => {
    for (const text of ['', 'garbage', '10.0.0', '10.0.0.1:80', '[2001:db8::1]'])
      assert.ok(!TRUSTED.has(text), text);
  });

  it('do not trip over a link-local address with its zone', () => {
    const proxies = addressBlocks(['fe80::/10']);
    assert.ok(proxies.has('fe80::1%eth0'));
    assert.equal(
      clientAddress('fe80::1%eth0', Fields.of(['X-Forwarded-For', '1.2.3.4']), proxies),
      '1.2.3.4',
    );
  });
});

describe('a peer', () => {
  it('that came over IPv4 through an IPv6 socket is IPv4', () => {
    assert.equal(peerAddress('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(peerAddress('192.0.2.1'), '192.0.2.1');
    assert.equal(peerAddress('2001:db8::1'), '2001:db8::1');
    assert.equal(peerAddress('::ffff:1'), '::ffff:1');
  });

  it('that has gone has no address', () => {
    assert.equal(peerAddress(undefined), '');
    assert.equal(clientAddress('', Fields.of(['X-Forwarded-For', '1.2.3.4']), TRUSTED), '');
  });
});

describe("a client's address", () => {
  it('is the peer unless that is trusted', () => {
    assert.equal(client('1.2.3.4', '203.0.113.9'), '203.0.113.9');
    assert.equal(client('1.2.3.4', '2001:db9::1'), '2001:db9::1');
  });

  it('is the right-most one that is not trusted', () => {
    assert.equal(client('1.2.3.4'), '1.2.3.4');
    assert.equal(client('6.6.6.6, 1.2.3.4'), '1.2.3.4');
    assert.equal(client('6.6.6.6, 1.2.3.4, 10.0.0.9, 2001:db8::5'), '1.2.3.4');
    assert.equal(client('10.6.6.6, 1.2.3.4, 10.0.0.9'), '1.2.3.4');
  });

  it('is read over all lines of the header', () => {
    assert.equal(client(['6.6.6.6', '1.2.3.4', '10.0.0.9']), '1.2.3.4');
    assert.equal(client(['1.2.3.4,10.0.0.9', '10.0.0.8']), '1.2.3.4');
  });

  it('is the left-most where all are trusted', () => {
    assert.equal(client('10.0.0.3, 10.0.0.2'), '10.0.0.3');
    assert.equal(clientAddress(PROXY, new Fields(), TRUSTED), PROXY);
  });

  it('may have a port, brackets, a mapped form and any case', () => {
    assert.equal(client('1.2.3.4:5678'), '1.2.3.4');
    assert.equal(client('[2001:DB9::1]:443'), '2001:db9::1');
    assert.equal(client('[2001:db9::1]'), '2001:db9::1');
    assert.equal(client('2001:DB9::1'), '2001:db9::1');
    assert.equal(client('::FFFF:1.2.3.4'), '1.2.3.4');
    assert.equal(client('[::ffff:1.2.3.4]:80'), '1.2.3.4');
    assert.equal(client('1.2.3.4, ::ffff:10.0.0.9'), '1.2.3.4');
    assert.equal(client(' \t1.2.3.4\t , 10.0.0.9:1234 '), '1.2.3.4');
  });

  it('is never further left than something that is no address', () => {
    const garbage = [
      '',
      'unknown',
      '_hidden',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '[1.2.3.4',
      '1.2.3.4]',
      'evil.test',
    ];
    garbage.push(
      '1.2.3.4:',
      '1.2.3.4:123456',
      '[::1]x',
      '::1]:80',
      '1.2.3.4 5.6.7.8',
      '0x7f000001',
      '<script>',
    );
    for (const hop of garbage) {
      assert.equal(client(`6.6.6.6, ${hop}, 10.0.0.9`), '10.0.0.9', hop);
      assert.equal(client(`6.6.6.6, ${hop}`), PROXY, hop);
    }
  });

  it('is what the trusted proxies saw, whatever the client put in front', () => {
    const anything = fc.string({
      unit: fc.constantFrom('1', '.', ',', ':', '[', ']', ' ', 'f', '10.0.0.1', '6.6.6.6'),
    });
    fc.assert(
      fc.property(anything, (claim) =>
        assert.equal(client(`${claim}, 203.0.113.9, 10.0.0.2`), '203.0.113.9'),
      ),
      { seed: 8 },
    );
  });

  it('is found in time that grows with the header, however hostile', () => {
    const startMs = performance.now();
    for (const unit of ['1.', ':', '[', '1', ',', ' ', '1.1.1.1:', '[::1]:']) client(unit.repeat(100_000));
    client('10.0.0.1,'.repeat(5000));
    assert.ok(performance.now() - startMs < 2000);
  });
});
