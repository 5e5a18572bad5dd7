import type { QuestionHandlers } from '#control/questions.ts';
import { JWKS_PATH } from '#core/auth/pages.ts';
import type { TokenAuthority } from './authority.ts';
import { JWKS_MAX_AGE_SECONDS } from './keys/schedule.ts';

const HEADERS = [
  'Content-Type',
  'application/jwk-set+json',
  'Cache-Control',
  `public, max-age=${JWKS_MAX_AGE_SECONDS}`,
];

/** The public keys, where others look for them. */
export function jwksPage(authority: TokenAuthority): QuestionHandlers {
  const answer = async () => ({
    status: 200,
    headers: HEADERS,
    body: new TextEncoder().encode(`${authority.jwks()}\n`),
  });
  return new Map([[`GET ${JWKS_PATH}`, answer]]);
}
