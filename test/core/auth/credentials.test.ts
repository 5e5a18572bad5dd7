import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { CREDENTIALS_BYTES_MAX, readCredentials } from '#core/auth/credentials.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { Auth } from '#core/table.ts';
import { authOf, base64 } from '#test/support/auth.ts';

const bearer = authOf([]);
const basic = authOf([], { scheme: 'basic' });
const apiKey = authOf([], { scheme: 'api_key' });
const read = (auth: Auth, headers: FlatHeaders) => readCredentials(auth, Fields.of(headers));
const token = (text: string) => ({ token: text, login: null });

describe('bearer credentials', () => {
  it('are found whatever the case of the header and of the scheme', () => {
    assert.deepEqual(read(bearer, ['AuthoriZation', 'bEARER Abc']), token('Abc'));
  });

  it('may stand behind more than one space', () => {
    assert.deepEqual(read(bearer, ['Authorization', 'Bearer   a.b-c_d~e+f/g==']), {
      token: 'a.b-c_d~e+f/g==',
      login: null,
    });
  });

  it('are missing when there are none, when they are empty and when they are of another scheme', () => {
    for (const headers of [[], ['Host', 'a'], ['Authorization', ''], ['Authorization', 'Basic YTpi']]) {
      assert.deepEqual(read(bearer, headers), { problem: 'missing' }, headers.join());
    }
  });

  it('are malformed when the token is none, or more than one', () => {
    for (const value of [
      'Bearer',
      'Bearer ',
      'Bearer a b',
      'Bearer a,b',
      'Bearer =',
      'Bearer a=b',
      'Bearer ä',
    ]) {
      assert.deepEqual(read(bearer, ['Authorization', value]), { problem: 'malformed' }, value);
    }
  });

  it('are for the verification to judge where they are to be a JWT', () => {
    const jwt: Auth = { scheme: 'jwt', realm: 'signalbox', forwardCredentials: false };
    for (const text of ['a.b.c', 'a b', '']) {
      assert.deepEqual(read(jwt, ['Authorization', `Bearer ${text}`]), token(text));
    }
    assert.deepEqual(read(jwt, ['Authorization', 'Basic a.b.c']), { problem: 'missing' });
  });

  it('are missing when no space follows the scheme', () => {
    assert.deepEqual(read(bearer, ['Authorization', 'Bearer\tabc']), { problem: 'missing' });
    assert.deepEqual(read(bearer, ['Authorization', 'Bearerabc']), { problem: 'missing' });
  });

  it('are ambiguous when sent twice, even if both are equal', () => {
    const headers = ['Authorization', 'Bearer a', 'authorization', 'Bearer a'];
    assert.deepEqual(read(bearer, headers), { problem: 'ambiguous' });
  });

  it('are not looked for in any other header', () => {
    assert.deepEqual(read(bearer, ['X-Authorization', 'Bearer a']), { problem: 'missing' });
    assert.deepEqual(read(bearer, ['X', 'authorization', 'Bearer a', 'x']), {
      problem: 'missing',
    });
  });
});

describe('basic credentials', () => {
  it('are a login when the token decodes to one, up to the first colon', () => {
    assert.deepEqual(read(basic, ['Authorization', `Basic ${base64('ann:pass:word')}`]), {
      token: base64('ann:pass:word'),
      login: { user: 'ann', password: 'pass:word' },
    });
  });

  it('are a bare token when it decodes to none', () => {
    assert.deepEqual(read(basic, ['Authorization', 'Basic dev-token-123']), token('dev-token-123'));
  });

  it('never take what a token decodes to for a token', () => {
    const encoded = base64('dev-token-123');
    assert.deepEqual(read(basic, ['Authorization', `Basic ${encoded}`]), token(encoded));
  });
});

describe('an API key', () => {
  it('is the whole value of its header', () => {
    assert.deepEqual(read(apiKey, ['X-API-Key', 'any thing, really']), token('any thing, really'));
  });

  it('is ambiguous when sent twice', () => {
    assert.deepEqual(read(apiKey, ['X-API-Key', 'a', 'x-api-key', 'b']), { problem: 'ambiguous' });
  });

  it('is not looked for in Authorization', () => {
    assert.deepEqual(read(apiKey, ['Authorization', 'Bearer a']), { problem: 'missing' });
  });
});

describe('credentials of any scheme', () => {
  it(`are malformed beyond ${CREDENTIALS_BYTES_MAX} bytes`, () => {
    const longest = `Bearer ${'a'.repeat(CREDENTIALS_BYTES_MAX - 'Bearer '.length)}`;
    assert.ok('token' in read(bearer, ['Authorization', longest]));
    assert.deepEqual(read(bearer, ['Authorization', `${longest}a`]), { problem: 'malformed' });
    const longKey = 'k'.repeat(CREDENTIALS_BYTES_MAX + 1);
    assert.deepEqual(read(apiKey, ['X-API-Key', longKey]), { problem: 'malformed' });
  });

  it('are read from any headers without a throw, and are never made up', () => {
    const names = fc.constantFrom('Authorization', 'authorization', 'X-API-Key', 'Host');
    const schemes = fc.constantFrom('', 'Bearer ', 'basic ', 'Basic  ', 'Digest ');
    // What else there may be of characters is no text, and comes in no head.
    const texts = fc.string({
      unit: fc.oneof(
        fc.constantFrom('\t', '\x80', '\xff'),
        fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 1 }),
      ),
    });
    const values = fc.tuple(schemes, fc.oneof(texts, fc.base64String())).map((p) => p.join(''));
    const headerLists = fc.array(fc.tuple(names, values)).map((pairs) => pairs.flat());

    fc.assert(
      fc.property(headerLists, fc.constantFrom(bearer, basic, apiKey), (headers, auth) => {
        const result = read(auth, headers);
        if ('problem' in result) return;
        const carrier = auth.scheme === 'api_key' ? 'x-api-key' : 'authorization';
        const sent = headers.filter((_, index) => headers[index - 1]?.toLowerCase() === carrier);
        assert.equal(sent.length, 1);
        assert.ok(sent[0]?.endsWith(result.token) && result.token !== '');
        if (result.login !== null) {
          assert.equal(Buffer.from(result.token, 'base64').toString('base64'), result.token);
        }
      }),
    );
  });
});
