import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KID_LENGTH_MAX, parseCompact, TOKEN_LENGTH_MAX } from '#core/jwt/compact.ts';
import { part, SAMPLE_CLAIMS, SAMPLE_HEADER, tokenOf, withOtherTrailingBits } from '#test/support/tokens.ts';

const TOKEN = tokenOf();
const [HEADER = '', PAYLOAD = '', SIGNATURE = ''] = TOKEN.split('.');

const withHeader = (header: object | string) => `${part(header)}.${PAYLOAD}.${SIGNATURE}`;

describe('a token taken apart', () => {
  it('has its header, its claims, and what was signed', () => {
    const token = parseCompact(TOKEN);
    assert.deepEqual(token?.payload, SAMPLE_CLAIMS);
    assert.deepEqual({ alg: token?.alg, typ: token?.typ, kid: token?.kid }, SAMPLE_HEADER);
    assert.equal(token?.signed.toString(), `${HEADER}.${PAYLOAD}`);
    assert.equal(token?.signature.toString('base64url'), SIGNATURE);
  });

  it('[17] has exactly three parts', () => {
    const others = [
      `${HEADER}.${PAYLOAD}`,
      `${HEADER}.${PAYLOAD}.`.slice(0, -1),
      `${TOKEN}.`,
      `${TOKEN}.${SIGNATURE}`,
      `${TOKEN}.a.b`,
      `.${TOKEN}`,
      `${HEADER}..${SIGNATURE}`,
      `.${PAYLOAD}.${SIGNATURE}`,
      '',
      '.',
      '..',
      '...',
      HEADER,
    ];
    for (const text of others) assert.equal(parseCompact(text), null, text);
  });

  it('[17] has no white space, padding or other alphabet in any part', () => {
    for (const at of [0, 5, HEADER.length, HEADER.length + 1, TOKEN.length]) {
      for (const stray of [' ', '\n', '\t', '=', '+', '/', '%', '\u0000', '\u00a0', 'é']) {
        const text = TOKEN.slice(0, at) + stray + TOKEN.slice(at);
        assert.equal(parseCompact(text), null, JSON.stringify(text));
      }
    }
    assert.equal(parseCompact(`${HEADER}.${PAYLOAD}.${SIGNATURE}=`), null);
    assert.equal(parseCompact(`${HEADER}.${PAYLOAD}.${SIGNATURE}==`), null);
  });

  it('[44] has one spelling: no other last digit stands for the same bytes', () => {
    // 64 bytes of signature leave four bits of its last digit unused.
    assert.equal(parseCompact(`${HEADER}.${PAYLOAD}.${withOtherTrailingBits(SIGNATURE)}`), null);
    const short = part('{"alg":"EdDSA","kid":"k"}');
    assert.notEqual(parseCompact(`${short}.${PAYLOAD}.${SIGNATURE}`), null);
    assert.equal(parseCompact(`${withOtherTrailingBits(short)}.${PAYLOAD}.${SIGNATURE}`), null);
  });

  it('[18] is not read beyond 8 KiB', () => {
    const long = tokenOf({ claims: { filler: 'x'.repeat(TOKEN_LENGTH_MAX) } });
    assert.equal(parseCompact(long), null);
    const spare = TOKEN_LENGTH_MAX - tokenOf({ claims: { filler: '' } }).length;
    const fitting = tokenOf({ claims: { filler: 'x'.repeat(Math.floor((spare * 3) / 4)) } });
    assert.ok(fitting.length > TOKEN_LENGTH_MAX - 4 && fitting.length <= TOKEN_LENGTH_MAX);
    assert.notEqual(parseCompact(fitting), null);
  });

  it('[18] costs nothing however long it is', () => {
    const long = 'A.'.repeat(5_000_000);
    const startMs = performance.now();
    for (let round = 0; round < 1000; round++) assert.equal(parseCompact(long), null);
    assert.ok(performance.now() - startMs < 500);
  });

  it('[13] names a key, in at most 256 characters', () => {
    const named = (kid: unknown) => parseCompact(withHeader({ ...SAMPLE_HEADER, kid }));
    assert.equal(named('k'.repeat(KID_LENGTH_MAX))?.kid.length, KID_LENGTH_MAX);
    for (const kid of [undefined, null, 7, ['own'], {}, true, 'k'.repeat(KID_LENGTH_MAX + 1)]) {
      assert.equal(named(kid), null, String(kid));
    }
  });

  it('[12] names an algorithm, as a text', () => {
    for (const alg of [undefined, null, 0, ['EdDSA'], { alg: 'EdDSA' }]) {
      assert.equal(parseCompact(withHeader({ ...SAMPLE_HEADER, alg })), null);
    }
  });

  it('[14] has nothing critical, whatever it is', () => {
    for (const crit of [['exp'], ['b64'], ['x'], [], 'x', null]) {
      assert.equal(parseCompact(withHeader({ ...SAMPLE_HEADER, crit })), null, JSON.stringify(crit));
    }
    assert.equal(parseCompact(withHeader({ ...SAMPLE_HEADER, crit: ['b64'], b64: true })), null);
  });

  it('[14] is encoded: no b64, critical or not', () => {
    for (const b64 of [false, true, 'false', 0]) {
      assert.equal(parseCompact(withHeader({ ...SAMPLE_HEADER, b64 })), null, String(b64));
    }
  });

  it('[17] says nothing twice in its header, nor in its claims', () => {
    const twice = '{"alg":"EdDSA","alg":"none","kid":"own","typ":"at+jwt"}';
    assert.equal(parseCompact(withHeader(twice)), null);
    assert.equal(parseCompact(`${HEADER}.${part('{"sub":"a","sub":"b"}')}.${SIGNATURE}`), null);
  });

  it('never throws, whatever the text', () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom(HEADER, PAYLOAD, SIGNATURE, '.'));
    fc.assert(fc.property(fc.array(piece), (pieces) => void parseCompact(pieces.join(''))));
    fc.assert(
      fc.property(fc.json(), fc.json(), (header, payload) => {
        parseCompact(`${part(header)}.${part(payload)}.`);
      }),
    );
  });
});
