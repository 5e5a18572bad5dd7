import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { holdsAt, readClaims } from '#core/jwt/claims.ts';
import { NOW, OTHER, OWN, SAMPLE_CLAIMS } from '#test/support/tokens.ts';

const OTHERS_CLAIMS = { iss: OTHER.issuer, aud: 'api', sub: 'auth0|ann', exp: NOW + 60 };

const own = (changes: object = {}) => readClaims({ ...SAMPLE_CLAIMS, ...changes }, OWN);
const others = (changes: object = {}) => readClaims({ ...OTHERS_CLAIMS, ...changes }, OTHER);

/** Nothing that a claim of any kind may be. */
const NONSENSE = [undefined, null, true, {}, [], [[]], ['x'], ''];

describe('the claims of an own token', () => {
  it('are all there', () => {
    assert.deepEqual(own(), {
      iss: 'signalbox',
      sub: SAMPLE_CLAIMS.sub,
      email: 'ann@example.com',
      sid: SAMPLE_CLAIMS.sid,
      iat: NOW,
      notBefore: NOW,
      exp: NOW + 900,
    });
  });

  it('[16] are refused when one is missing, or is no claim of its kind', () => {
    for (const name of ['iss', 'aud', 'sub', 'sid', 'jti', 'iat', 'nbf', 'exp']) {
      for (const value of NONSENSE) {
        assert.equal(own({ [name]: value }), null, `${name}: ${JSON.stringify(value)}`);
      }
    }
  });

  it('[16] are of our issuer and for our audience, exactly', () => {
    for (const iss of ['Signalbox', 'signalbox ', 'signalbox/', 'signal']) assert.equal(own({ iss }), null);
    for (const aud of ['Signalbox', 'signalbo', 'other', ['other'], ['signalbox', 7], [['signalbox']]]) {
      assert.equal(own({ aud }), null, JSON.stringify(aud));
    }
    assert.notEqual(own({ aud: ['other', 'signalbox'] }), null);
  });

  it('[16] have times that are whole seconds, none negative and none huge', () => {
    for (const name of ['exp', 'nbf', 'iat']) {
      for (const time of [String(NOW), NOW + 0.5, -1, -NOW, 1e300, 253_402_300_800, 2 ** 53, Infinity, NaN]) {
        assert.equal(own({ [name]: time }), null, `${name}: ${time}`);
      }
    }
    assert.equal(own({ exp: 0 }), null);
    assert.notEqual(own({ exp: 253_402_300_799 }), null);
  });

  it('[17] are about one subject, which is a text that fits into a header', () => {
    const subjects = [[SAMPLE_CLAIMS.sub], [[SAMPLE_CLAIMS.sub]], { sub: 'a' }, 7];
    for (const sub of [
      ...subjects,
      'a b',
      'a\r\nX-Admin: 1',
      'a\u0000',
      'zo\u00eb',
      '\ud800',
      'a'.repeat(256),
    ]) {
      assert.equal(own({ sub }), null, JSON.stringify(sub));
      assert.equal(own({ sid: sub }), null, JSON.stringify(sub));
      assert.equal(own({ jti: sub }), null, JSON.stringify(sub));
    }
  });

  it('[46] have an email that cannot break a line, or none', () => {
    assert.equal(own({ email: 'zo\u00eb@example.com' })?.email, 'zo\u00eb@example.com');
    const broken = ['a@b\r\nX-Admin: 1', 'a\u0000@b', '\ud800@b', 'a\u0085@b', `${'a'.repeat(250)}@b.de`];
    for (const email of [...broken, ...NONSENSE]) {
      assert.equal(own({ email })?.email, null, JSON.stringify(email));
    }
  });
});

describe("the claims of another issuer's token", () => {
  it('need less: no session, and no time of issue', () => {
    const expected = { iss: OTHER.issuer, sub: 'auth0|ann', email: null, sid: null, iat: 0, notBefore: 0 };
    assert.deepEqual(others(), { ...expected, exp: NOW + 60 });
  });

  it('[16] need an issuer, an audience, a subject and an end', () => {
    for (const name of ['iss', 'aud', 'sub', 'exp']) {
      for (const value of NONSENSE) assert.equal(others({ [name]: value }), null);
    }
    for (const time of ['1', 1.5, -1, {}, null]) {
      assert.equal(others({ nbf: time }), null);
      assert.equal(others({ iat: time }), null);
    }
  });

  it('name no session of ours, even if they say so', () => {
    assert.equal(others({ sid: SAMPLE_CLAIMS.sid })?.sid, null);
  });

  it('have an email unless the issuer says that it is not verified', () => {
    assert.equal(others({ email: 'a@b', email_verified: false })?.email, null);
    assert.equal(others({ email: 'a@b', email_verified: true })?.email, 'a@b');
    assert.equal(others({ email: 'a@b' })?.email, 'a@b');
  });
});

describe('a token', () => {
  const holds = (seconds: number, leeway: number, notBefore = NOW) =>
    holdsAt({ notBefore, exp: NOW + 900 }, seconds * 1000, leeway);

  it('[16] holds from its nbf and iat up to its exp, and no longer', () => {
    assert.deepEqual(
      [NOW - 1, NOW, NOW + 899, NOW + 900].map((seconds) => holds(seconds, 0)),
      [false, true, true, false],
    );
    assert.equal(holds(NOW - 0.001, 0), false);
    assert.equal(holds(NOW + 899.999, 0), true);
  });

  it('[16] is given the leeway at both ends', () => {
    assert.deepEqual(
      [NOW - 31, NOW - 30, NOW + 929, NOW + 930].map((seconds) => holds(seconds, 30)),
      [false, true, true, false],
    );
  });

  it('[16] that was issued in the future does not hold', () => {
    assert.equal(own({ iat: NOW + 300 })?.notBefore, NOW + 300);
    assert.equal(own({ nbf: NOW + 300 })?.notBefore, NOW + 300);
    assert.equal(holds(NOW, 60, NOW + 61), false);
  });
});
