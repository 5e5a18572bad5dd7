/** Private parts of signing keys as text for the database: encrypted under a secret, where there is one. */

import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto';
import { SignalboxError } from '#core/errors.ts';

const PLAIN = 'plain:';
const ENCRYPTED = 'aes-256-gcm:';

/** NIST SP 800-38D §8.2.2: random, and far from repeating with a handful of keys. */
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Tells this use of the secret from any other (RFC 5869 §3.2). */
const PURPOSE = 'signalbox signing keys 1';

/** `kid` is bound to what is encrypted: the part of one key cannot be put in the place of another's. */
export function writePrivatePart(key: KeyObject, kid: string, secret: KeyObject | null): string {
  const bytes = key.export({ format: 'der', type: 'pkcs8' });
  if (secret === null) return PLAIN + bytes.toString('base64url');

  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', encryptionKey(secret), iv).setAAD(Buffer.from(kid));
  const encrypted = Buffer.concat([iv, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]);
  return ENCRYPTED + encrypted.toString('base64url');
}

/** Throws a SignalboxError `signing_key_locked` when the part was encrypted under another secret. */
export function readPrivatePart(text: string, kid: string, secret: KeyObject | null): KeyObject {
  if (isPlain(text)) return privateKey(Buffer.from(text.slice(PLAIN.length), 'base64url'));
  if (secret === null) throw locked(kid, 'is encrypted, and there is no SIGNALBOX_SECRET');

  const encrypted = Buffer.from(text.slice(ENCRYPTED.length), 'base64url');
  const iv = encrypted.subarray(0, IV_BYTES);
  const tag = encrypted.subarray(-TAG_BYTES);
  try {
    const decipher = createDecipheriv('aes-256-gcm', encryptionKey(secret), iv, { authTagLength: TAG_BYTES })
      .setAAD(Buffer.from(kid))
      .setAuthTag(tag);
    const bytes = decipher.update(encrypted.subarray(IV_BYTES, -TAG_BYTES));
    return privateKey(Buffer.concat([bytes, decipher.final()]));
  } catch (error) {
    throw locked(kid, 'was encrypted under another SIGNALBOX_SECRET', error);
  }
}

/** Whether whoever reads the database can sign with this key. */
export function isPlain(text: string): boolean {
  return text.startsWith(PLAIN);
}

function privateKey(bytes: Buffer): KeyObject {
  return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' });
}

function encryptionKey(secret: KeyObject): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', PURPOSE, 32));
}

function locked(kid: string, why: string, cause?: unknown): SignalboxError {
  const message = `the signing key ${kid} ${why}: start with the secret that all instances of this database have`;
  return new SignalboxError('signing_key_locked', 'operator', message, { cause });
}
