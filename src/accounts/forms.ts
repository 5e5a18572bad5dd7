/** What clients post to `/auth/*`. Fields that nobody knows are ignored; null is for those of other types. */
import type { JsonObject } from '#core/jwt/json-object.ts';
import type { Refusal } from '#core/refusals.ts';
import type { Credentials } from './login.ts';
import { invalid } from './parts.ts';
import type { NewPassword } from './password-change.ts';

export const LOGIN_EXPECTED: Refusal = invalid('Expected are the texts `email` and `password`.');
export const TOKEN_EXPECTED: Refusal = invalid('Expected is the text `refresh_token`.');
export const PASSWORDS_EXPECTED: Refusal = invalid(
  'Expected are the texts `current_password` and `new_password`.',
);

export function readLogin({ email, password }: JsonObject): Credentials | null {
  return typeof email === 'string' && typeof password === 'string' ? { email, password } : null;
}

/** Undefined when it is left out. */
export function readRefreshToken({ refresh_token: token }: JsonObject): string | null | undefined {
  return token === undefined || typeof token === 'string' ? token : null;
}

export function readPasswords({
  current_password: current,
  new_password: chosen,
}: JsonObject): NewPassword | null {
  return typeof current === 'string' && typeof chosen === 'string' ? { current, chosen } : null;
}
