import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseLogin } from '#core/auth/login.ts';
import { base64 } from '#test/support/auth.ts';

describe('parseLogin', () => {
  it('reads the example of RFC 7617', () => {
    const login = parseLogin('QWxhZGRpbjpvcGVuIHNlc2FtZQ==');
    assert.deepEqual(login, { user: 'Aladdin', password: 'open sesame' });
  });

  it('reads UTF-8, the second example of RFC 7617', () => {
    assert.deepEqual(parseLogin('dGVzdDoxMjPCow=='), { user: 'test', password: '123£' });
  });

  it('composes letters that were typed in parts', () => {
    assert.deepEqual(parseLogin(base64('Zoe\u0308:cafe\u0301')), { user: 'Zo\u00eb', password: 'caf\u00e9' });
  });

  it('takes empty parts as they are', () => {
    assert.deepEqual(parseLogin(base64(':')), { user: '', password: '' });
  });

  it('refuses base64 that is not canonical', () => {
    for (const token of ['YTpi=', 'YTpiYw', 'YTpiYx==', 'YTpi\n', 'YT pi', '_-_-YTpi']) {
      assert.equal(parseLogin(token), null, token);
    }
  });

  it('refuses what is not text, has no colon or has control characters', () => {
    assert.equal(parseLogin(Buffer.from([0x61, 0x3a, 0xff]).toString('base64')), null);
    assert.equal(parseLogin(base64('nocolon')), null);
    assert.equal(parseLogin(base64('a:b\0c')), null);
    assert.equal(parseLogin(base64('a\nb:c')), null);
  });

  it('gives back every login that a client may send', () => {
    const parts = fc
      .string({ unit: 'grapheme' })
      .filter((text) => !/\p{Cc}/u.test(text) && text.isWellFormed());
    fc.assert(
      fc.property(parts, parts, (name, password) => {
        const user = name.replaceAll(':', '');
        const expected = { user: user.normalize('NFC'), password: password.normalize('NFC') };
        assert.deepEqual(parseLogin(base64(`${user}:${password}`)), expected);
      }),
    );
  });
});
