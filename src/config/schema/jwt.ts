import { createPublicKey } from 'node:crypto';
import { z } from 'zod';
import { algorithmOf, RSA_BITS_MAX, RSA_BITS_MIN } from '#core/jwt/algorithm.ts';
import { KID_LENGTH_MAX } from '#core/jwt/compact.ts';
import { isLoopback } from '../hosts.ts';
import { isStrongSecret, STRONG_SECRET } from '../secrets.ts';
import { Anything, expecting, rule, secret } from './section.ts';
import { integer, parsed, text } from './values.ts';

const YEAR_SECONDS = 31_536_000;

const StringOrUri = text(/^[!-~]{1,255}$/, 'a name or URL of 1 to 255 visible ASCII characters');

const JwksUri = expecting(
  z.string().refine(isJwksUri),
  'a URL that begins with `https://`, or with `http://` and an address of this machine',
);

/** Whoever can change keys on their way can issue tokens, so the way is encrypted or stays in the machine. */
function isJwksUri(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  const isLocal = isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLocal);
}

const PublicKey = expecting(
  parsed(parsePublicKey),
  `a public key in PEM format (\`-----BEGIN PUBLIC KEY-----\`): Ed25519, P-256, or RSA of ${RSA_BITS_MIN} to ${RSA_BITS_MAX} bits`,
);

function parsePublicKey(pem: string) {
  // A private key would be accepted as well, for it contains the public one.
  if (!pem.trimStart().startsWith('-----BEGIN PUBLIC KEY-----')) return null;
  try {
    const key = createPublicKey(pem);
    const alg = algorithmOf(key);
    return alg === null ? null : { alg, key };
  } catch {
    return null;
  }
}

const IssuerSection = z.strictObject({
  issuer: StringOrUri.describe("The tokens' `iss`, exactly. Users are called `<issuer> <sub>` in limits."),
  audience: StringOrUri.describe("One of the tokens' `aud`, exactly: what the issuer calls this proxy."),
  jwks_uri: JwksUri.optional().describe(
    'Where the issuer publishes its keys (RFC 7517). They are read again every five minutes, and at most every 30 seconds when a token names a new one; if that fails, the last ones stay.',
  ),
  public_key: PublicKey.optional().describe("The issuer's key, in place of `jwks_uri`."),
  kid: text(new RegExp(`^[!-~]{1,${KID_LENGTH_MAX}}$`), `1 to ${KID_LENGTH_MAX} visible ASCII characters`)
    .optional()
    .describe('What tokens call `public_key` in their header.'),
});

const IssuerView = z.object({ jwks_uri: Anything, public_key: Anything, kid: Anything });

const Issuer = rule(IssuerSection, IssuerView, ({ jwks_uri, public_key, kid }, report) => {
  if ((jwks_uri === undefined) === (public_key === undefined)) {
    report([], 'needs either `jwks_uri` or `public_key`');
  }
  if (public_key !== undefined && kid === undefined) report(['kid'], '`public_key` needs a `kid`');
  if (public_key === undefined && kid !== undefined) report(['kid'], 'works with `public_key` only');
});

const JwtSection = z.strictObject({
  issuer: StringOrUri.default('signalbox').describe('Names Signalbox in the tokens that it issues (`iss`).'),
  audience: StringOrUri.default('signalbox').describe('Names who they are for (`aud`).'),
  secret: secret(z.string().refine(isStrongSecret), STRONG_SECRET)
    .optional()
    .describe(
      'Signs tokens with HS256. Default: the environment variable `JWT_SECRET`; and without it, EdDSA with keys that Signalbox makes, keeps in the database, and publishes at `/.well-known/jwks.json`.',
    ),
  access_token_expiration: integer(60, 86_400, 'seconds')
    .default(900)
    .describe('How long an access token holds.'),
  refresh_token_expiration: integer(60, YEAR_SECONDS, 'seconds')
    .default(604_800)
    .describe('How long a session may stay unused: each refresh token holds that long.'),
  session_expiration: integer(60, YEAR_SECONDS, 'seconds')
    .default(2_592_000)
    .describe('How long a session lasts at most, however often it is used.'),
  refresh_grace_seconds: integer(0, 60, 'seconds')
    .default(10)
    .describe('How long a refresh token that was just used is answered again, in case the answer got lost.'),
  leeway_seconds: integer(0, 60, 'seconds')
    .default(30)
    .describe('Difference between clocks that is put up with.'),
  issuers: z.array(Issuer).default([]).describe('Others whose tokens are accepted, too.'),
});

const JwtView = z.object({
  issuer: z.string(),
  access_token_expiration: z.number(),
  refresh_token_expiration: z.number(),
  session_expiration: z.number(),
  issuers: z.array(z.object({ issuer: Anything })),
});

export const Jwt = rule(JwtSection, JwtView, (jwt, report) => {
  if (jwt.access_token_expiration > jwt.refresh_token_expiration) {
    report(['access_token_expiration'], 'is longer than `refresh_token_expiration`');
  }
  if (jwt.refresh_token_expiration > jwt.session_expiration) {
    report(['refresh_token_expiration'], 'is longer than `session_expiration`');
  }
  const names = new Set<unknown>([jwt.issuer]);
  for (const [index, { issuer }] of jwt.issuers.entries()) {
    if (issuer !== undefined && names.has(issuer)) {
      report(['issuers', index, 'issuer'], 'another issuer, or `jwt.issuer`, has the same name');
    }
    names.add(issuer);
  }
});
