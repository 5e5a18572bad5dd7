import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { begun, message, renewed } from '#accounts/answers.ts';

const GRANT = {
  user: { id: 'user-1', email: 'ann@example.com' },
  access: { token: 'access', expiresInSeconds: 900 },
  refreshToken: 'refresh',
};

describe('an answer to a client of /auth', () => {
  // History: small texts share memory, and what is sent to a worker takes all of its memory along.
  it('[4] takes nothing along that is not in it', () => {
    for (const answer of [begun(201, GRANT), renewed(GRANT), message(200, 'Logged out successfully')]) {
      assert.ok('status' in answer);
      assert.equal(answer.body.buffer.byteLength, answer.body.byteLength);
    }
  });
});
