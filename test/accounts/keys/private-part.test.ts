import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { isPlain, readPrivatePart, writePrivatePart } from '#accounts/keys/private-part.ts';

const { privateKey } = generateKeyPairSync('ed25519');
const secret = createSecretKey(randomBytes(32));

describe('the private part of a key', () => {
  it('[32] is encrypted under the secret, and read with it', () => {
    const text = writePrivatePart(privateKey, 'k', secret);
    assert.ok(readPrivatePart(text, 'k', secret).equals(privateKey));
    assert.ok(!isPlain(text));
    const { d = '' } = privateKey.export({ format: 'jwk' });
    const stored = Buffer.from(text.split(':')[1] ?? '', 'base64url');
    assert.ok(!stored.includes(Buffer.from(d, 'base64url')));
  });

  it('[32] is encrypted anew each time', () => {
    const texts = Array.from({ length: 20 }, () => writePrivatePart(privateKey, 'k', secret));
    assert.equal(new Set(texts).size, 20);
  });

  it('[32] is read with no other secret, and for no other key', () => {
    const text = writePrivatePart(privateKey, 'k', secret);
    const locked = { code: 'signing_key_locked', blame: 'operator' };
    assert.throws(() => readPrivatePart(text, 'k', createSecretKey(randomBytes(32))), locked);
    assert.throws(() => readPrivatePart(text, 'other', secret), locked);
    assert.throws(() => readPrivatePart(text, 'k', null), {
      ...locked,
      message: /there is no SIGNALBOX_SECRET/,
    });
  });

  it('[32] is not read when it was changed', () => {
    const text = writePrivatePart(privateKey, 'k', secret);
    const bytes = Buffer.from(text.split(':')[1] ?? '', 'base64url');
    for (const at of [0, 11, 12, 40, bytes.length - 16, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      const stored = `aes-256-gcm:${changed.toString('base64url')}`;
      assert.throws(() => readPrivatePart(stored, 'k', secret), { code: 'signing_key_locked' });
    }
    for (const cut of ['aes-256-gcm:', 'aes-256-gcm:AAAA']) {
      assert.throws(() => readPrivatePart(cut, 'k', secret), { code: 'signing_key_locked' });
    }
  });

  it('[32] is kept as it is without a secret, and still read once there is one', () => {
    const text = writePrivatePart(privateKey, 'k', null);
    assert.ok(isPlain(text));
    assert.ok(readPrivatePart(text, 'k', null).equals(privateKey));
    assert.ok(readPrivatePart(text, 'k', secret).equals(privateKey));
  });
});
