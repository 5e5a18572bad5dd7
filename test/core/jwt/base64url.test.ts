import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeBase64url } from '#core/jwt/base64url.ts';

describe('base64url', () => {
  it('[44] decodes what was encoded', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const text = Buffer.from(bytes).toString('base64url');
        assert.deepEqual(decodeBase64url(text), Buffer.from(bytes));
      }),
    );
  });

  it('[44] has one text for any bytes: what decodes is what encoding gives', () => {
    const character = fc.constantFrom(...'AQgw_-9+/= \n.%');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 6 }), (text) => {
        const bytes = decodeBase64url(text);
        assert.ok(bytes === null || bytes.toString('base64url') === text);
      }),
    );
  });

  it('[17] refuses padding, other alphabets, white space and lone digits', () => {
    for (const text of [
      'QQ==',
      'QUI=',
      '+/+/',
      'Q Q',
      'QUJD\n',
      ' QUJD',
      'Q',
      'QUJDR',
      'QU.D',
      'QUJ\u0000',
      'é',
    ]) {
      assert.equal(decodeBase64url(text), null, JSON.stringify(text));
    }
  });

  it('[44] refuses bits behind the last byte', () => {
    assert.deepEqual(decodeBase64url('QQ'), Buffer.from('A'));
    for (const text of ['QR', 'Qf', 'QUJ', 'QUL']) assert.equal(decodeBase64url(text), null, text);
  });
});
