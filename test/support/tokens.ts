/** Tokens made by hand, so that a test can make whatever no library would. */
import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Algorithm, Keyring, TrustedIssuer, VerificationKey } from '#core/jwt/keyring.ts';
import type { Revoked } from '#core/jwt/revoked-sessions.ts';
import { WALL_START_MS } from './virtual-clock.ts';

export const NOW = WALL_START_MS / 1000;
/** Of the keyrings below. */
export const LEEWAY = 30;

export type KeyPair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

/** Made once: the RSA key takes a moment. */
export const KEYS = {
  EdDSA: generateKeyPairSync('ed25519'),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
} as const satisfies Record<string, KeyPair>;

export const SAMPLE_CLAIMS = {
  iss: 'signalbox',
  aud: 'signalbox',
  sub: '019b76da-a800-7000-8000-000000000001',
  email: 'ann@example.com',
  sid: '019b76da-a800-7000-8000-000000000002',
  jti: '019b76da-a800-7000-8000-000000000003',
  iat: NOW,
  nbf: NOW,
  exp: NOW + 900,
};

export const SAMPLE_HEADER = { alg: 'EdDSA', typ: 'at+jwt', kid: 'own' };

export function verificationKey(alg: keyof typeof KEYS, kid: string = alg): VerificationKey {
  return { kid, alg, key: KEYS[alg].publicKey };
}

/** Us, with the Ed25519 key `own`. */
export const OWN: TrustedIssuer = {
  issuer: 'signalbox',
  audience: 'signalbox',
  isOwn: true,
  keys: [verificationKey('EdDSA', 'own')],
};

/** Another issuer, with a key of each kind, called as its algorithm is. */
export const OTHER: TrustedIssuer = {
  issuer: 'https://login.example.com',
  audience: 'api',
  isOwn: false,
  keys: [verificationKey('EdDSA'), verificationKey('ES256'), verificationKey('RS256')],
};

export function keyringOf(issuers: readonly TrustedIssuer[] = [OWN, OTHER], revision = 1): Keyring {
  return { revision, leewaySeconds: LEEWAY, issuers };
}

/** One part of a token; a text is taken for JSON as it is. */
export function part(value: unknown): string {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
}

/** Signs with an algorithm of our choice, whatever the header says. */
export function signature(alg: Algorithm, signed: string, key: KeyObject | string): string {
  const data = Buffer.from(signed);
  switch (alg) {
    case 'HS256':
      return createHmac('sha256', key).update(data).digest('base64url');
    case 'EdDSA':
      return sign(null, data, key).toString('base64url');
    case 'RS256':
      return sign('sha256', data, key).toString('base64url');
    case 'ES256': {
      const options = typeof key === 'string' ? key : { key, dsaEncoding: 'ieee-p1363' as const };
      return sign('sha256', data, options).toString('base64url');
    }
  }
}

export type TokenChanges = {
  /** Added to the sample header or claims; undefined takes one away. A text replaces all of it. */
  readonly header?: object | string;
  readonly claims?: object | string;
  /** What really signs it. */
  readonly alg?: keyof typeof KEYS;
};

/** A token of ours, valid but for what is changed. */
export function tokenOf({ header = {}, claims = {}, alg = 'EdDSA' }: TokenChanges = {}): string {
  const head = typeof header === 'string' ? header : { ...SAMPLE_HEADER, ...header };
  const payload = typeof claims === 'string' ? claims : { ...SAMPLE_CLAIMS, ...claims };
  const signed = `${part(head)}.${part(payload)}`;
  return `${signed}.${signature(alg, signed, KEYS[alg].privateKey)}`;
}

/** A token of the other issuer, which says no more than it must. */
export function otherTokenOf({ header = {}, claims = {}, alg = 'ES256' }: TokenChanges = {}): string {
  const { iat, nbf, jti, sid, email, ...few } = SAMPLE_CLAIMS;
  const said = { ...few, iss: OTHER.issuer, aud: OTHER.audience, sub: 'ann' };
  return tokenOf({
    alg,
    header: typeof header === 'string' ? header : JSON.stringify({ alg, kid: alg, ...header }),
    claims: typeof claims === 'string' ? claims : JSON.stringify({ ...said, ...claims }),
  });
}

/** Uses a random text of base64url digits for the last one of a token's part that has bits to spare. */
export function withOtherTrailingBits(text: string): string {
  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = ALPHABET.indexOf(text.at(-1) ?? '');
  return text.slice(0, -1) + ALPHABET[last ^ 1];
}

/** That these sessions are revoked: their ids, and until when, milliseconds since the Unix epoch. */
export function revoking(...sessions: readonly (readonly [sessionId: string, untilMs: number])[]): Revoked {
  return { sessions: sessions.map(([sessionId, untilMs]) => ({ sessionId, untilMs })), issuedFrom: 0 };
}
