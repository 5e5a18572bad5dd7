import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import { hash as argon2 } from 'argon2';
import type { Auth } from '#core/table.ts';
import { load, UPSTREAMS } from '../support.ts';

function authOf(text: string): Auth {
  const [route] = load(`${UPSTREAMS}middleware: {auth: ${text}}\n`).table.routes;
  return route?.auth ?? assert.fail('no authentication');
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

describe('the authentication of a table', () => {
  it('holds digests in place of tokens, whether the file does or not', () => {
    const digest = sha256('hunter2').toUpperCase();
    const auth = authOf(`{valid_tokens: [hunter1, 'sha256:${digest}']}`);
    assert.deepEqual(auth, {
      scheme: 'bearer',
      realm: 'signalbox',
      forwardCredentials: false,
      tokenDigests: [sha256('hunter1'), sha256('hunter2')],
    });
    assert.doesNotMatch(JSON.stringify(auth), /hunter/);
  });

  it('has the users of basic, with the hashes that argon2 makes', async () => {
    const hash = await argon2('secret', { memoryCost: 1024, timeCost: 2 });
    const auth = authOf(`{auth_type: basic, valid_users: {zoe\u0308: '${hash}'}}`);
    // The name in composed form, as it is compared.
    assert.deepEqual(auth.scheme === 'basic' && auth.users, { zo\u00eb: hash });
  });

  it('has its header in lower case, and what else there is to say', () => {
    const text =
      '{auth_type: api_key, valid_tokens: [t], api_key_header: X-Key, realm: r, forward_credentials: true}';
    assert.deepEqual(authOf(text), {
      scheme: 'api_key',
      header: 'x-key',
      realm: 'r',
      forwardCredentials: true,
      tokenDigests: [sha256('t')],
    });
  });

  it('lists nobody for jwt, where others say who is who', () => {
    assert.deepEqual(authOf('{auth_type: jwt}'), {
      scheme: 'jwt',
      realm: 'signalbox',
      forwardCredentials: false,
    });
  });
});
