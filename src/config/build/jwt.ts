import { createSecretKey } from 'node:crypto';
import type { z } from 'zod';
import type { IssuerSettings, JwtSettings } from '#core/account-settings.ts';
import type { Environment } from '../env.ts';
import { Jwt } from '../schema/jwt.ts';
import type { Config } from '../schema.ts';
import { isStrongSecret, STRONG_SECRET } from '../secrets.ts';

type JwtConfig = z.output<typeof Jwt>;

/** Secrets that stand in no file. */
const SECRET_VARIABLES = ['JWT_SECRET', 'SIGNALBOX_SECRET'] as const;

/** Null where no route asks for tokens: then there are no accounts. */
export function buildJwt(config: Config, env: Environment): JwtSettings | null {
  if (!asksForTokens(config)) return null;
  const jwt = config.jwt ?? Jwt.parse({});
  return {
    issuer: jwt.issuer,
    audience: jwt.audience,
    secret: secretKey(jwt.secret ?? env['JWT_SECRET']),
    keySecret: secretKey(env['SIGNALBOX_SECRET']),
    accessTokenSeconds: jwt.access_token_expiration,
    refreshTokenSeconds: jwt.refresh_token_expiration,
    sessionSeconds: jwt.session_expiration,
    refreshGraceSeconds: jwt.refresh_grace_seconds,
    leewaySeconds: jwt.leeway_seconds,
    issuers: jwt.issuers.map(buildIssuer),
  };
}

/** Whether any route authenticates by `jwt`. */
export function asksForTokens({ middleware, routes }: Config): boolean {
  const sections = routes?.map(({ auth }) => auth ?? middleware.auth) ?? [middleware.auth];
  return sections.some((auth) => typeof auth === 'object' && auth.enabled && auth.auth_type === 'jwt');
}

/** What is wrong with the secrets of the environment, as far as they are used. */
export function mistakesInSecrets(config: Config, env: Environment): string[] {
  if (!asksForTokens(config)) return [];
  return SECRET_VARIABLES.filter((name) => name !== 'JWT_SECRET' || config.jwt?.secret === undefined)
    .filter((name) => env[name] !== undefined && env[name] !== '' && !isStrongSecret(env[name]))
    .map((name) => `the environment variable \`${name}\` cannot be used: expected ${STRONG_SECRET}`);
}

function buildIssuer({
  issuer,
  audience,
  jwks_uri,
  public_key,
  kid,
}: JwtConfig['issuers'][number]): IssuerSettings {
  if (jwks_uri !== undefined) return { issuer, audience, keys: { kind: 'remote', uri: jwks_uri } };
  if (public_key === undefined || kid === undefined) {
    throw new TypeError('the schema lets no issuer pass without jwks_uri, or public_key and kid');
  }
  return { issuer, audience, keys: { kind: 'fixed', key: { kid, ...public_key } } };
}

/** A key object shows what it holds neither in logs nor in JSON. */
function secretKey(text: string | undefined) {
  return text === undefined || text === '' ? null : createSecretKey(text, 'utf8');
}
