import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load } from '../support.ts';

const CONFIG = `
load_balancing:
  tls: { server_name: api.example.com }
  protocol: h2
  host_header: upstream
  upstreams: [{ name: red, address: 127.0.0.1, port: 3000 }]
pools:
  plain:
    upstreams: [{ name: blue, address: 127.0.0.1, port: 3001 }]
`;

const GIVEN = { name: 'green', address: '10.0.0.7', port: 8443, weight: 2 };

describe('an upstream that is described to a running instance', () => {
  const { newUpstream } = load(CONFIG);

  it('is what the file would have made of it in its pool', () => {
    assert.deepEqual(newUpstream('default', GIVEN), {
      ...GIVEN,
      pool: 'default',
      tls: { serverName: 'api.example.com', ca: null, verify: true },
      protocol: 'h2',
      inFlightMax: null,
      host: { kind: 'upstream' },
    });
    assert.deepEqual(newUpstream('plain', GIVEN), {
      ...GIVEN,
      pool: 'plain',
      tls: null,
      protocol: 'http/1.1',
      inFlightMax: null,
      host: { kind: 'client' },
    });
  });

  it('may be spoken to over TLS, or not, whatever its pool says', () => {
    assert.equal(newUpstream('default', { ...GIVEN, tls: false }).tls, null);
    assert.equal(newUpstream('plain', { ...GIVEN, tls: true }).tls?.serverName, '');
  });

  it('may be spoken to in another protocol than its pool says', () => {
    assert.equal(newUpstream('default', { ...GIVEN, protocol: 'http/1.1' }).protocol, 'http/1.1');
    assert.equal(newUpstream('plain', { ...GIVEN, protocol: 'h2' }).protocol, 'h2');
  });

  it('has no defaults in a pool that the file does not have', () => {
    for (const pool of ['other', 'toString']) {
      const { tls, host } = newUpstream(pool, GIVEN);
      assert.deepEqual([tls, host], [null, { kind: 'client' }]);
    }
  });

  it('is called by its address if it has no name', () => {
    assert.equal(newUpstream('plain', { address: '::1', port: 80, weight: 1 }).name, '[::1]:80');
  });
});
