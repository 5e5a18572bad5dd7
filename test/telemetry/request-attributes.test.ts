import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { requestAttributes } from '#telemetry/request-attributes.ts';
import { sampleRecord } from '#test/support/sample-record.ts';

describe('the attributes of a request', () => {
  it('say what its connection was encrypted by', () => {
    const attributes = requestAttributes(
      sampleRecord({ scheme: 'https', protocol: '2', tlsVersion: 'TLSv1.3' }),
    );
    assert.partialDeepStrictEqual(attributes, {
      'url.scheme': 'https',
      'network.protocol.version': '2',
      'tls.protocol.name': 'tls',
      'tls.protocol.version': '1.3',
    });
    const plain = Object.keys(requestAttributes(sampleRecord()));
    assert.deepEqual(
      plain.filter((name) => name.startsWith('tls.')),
      [],
    );
  });
});
