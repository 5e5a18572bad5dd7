import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { challengeFor } from '#core/auth/challenge.ts';
import { authOf } from '#test/support/auth.ts';

describe('challengeFor', () => {
  it('names no error to a client that sent no bearer token', () => {
    assert.equal(challengeFor(authOf([]), 'missing'), 'Bearer realm="signalbox"');
  });

  it('calls a wrong bearer token invalid', () => {
    assert.equal(challengeFor(authOf([]), 'invalid'), 'Bearer realm="signalbox", error="invalid_token"');
  });

  it('asks for UTF-8 in Basic', () => {
    const auth = authOf([], { scheme: 'basic' });
    assert.equal(challengeFor(auth, 'missing'), 'Basic realm="signalbox", charset="UTF-8"');
    assert.equal(challengeFor(auth, 'invalid'), 'Basic realm="signalbox", charset="UTF-8"');
  });

  it('says which header carries an API key', () => {
    const auth = authOf([], { scheme: 'api_key', header: 'x-my-key' });
    assert.equal(challengeFor(auth, 'missing'), 'ApiKey realm="signalbox", header="x-my-key"');
  });

  it('escapes what would end the realm early', () => {
    const auth = authOf([], { realm: 'a "b\\' });
    assert.equal(challengeFor(auth, 'missing'), 'Bearer realm="a \\"b\\\\"');
  });
});
