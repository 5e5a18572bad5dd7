import type { TokenAuthority } from '#accounts/authority.ts';
import type { KeyView } from '#accounts/keys/signing-keys.ts';
import { SignalboxError } from '#core/errors.ts';
import { type AdminAnswer, type AdminHandler, type AdminRoutes, json } from './api.ts';

/** The keys that sign own tokens; `authority` is null on an instance that issues none. */
export function keysRoutes(authority: TokenAuthority | null): AdminRoutes {
  const withKeys =
    (answer: (authority: TokenAuthority) => AdminAnswer | Promise<AdminAnswer>): AdminHandler =>
    () =>
      authority === null ? json(404, NO_KEYS) : answer(authority);
  return new Map([
    ['GET /api/keys', withKeys((present) => json(200, keyList(present)))],
    ['POST /api/keys/rotate', withKeys(rotate)],
  ]);
}

const NO_KEYS = { error: 'this instance has no keys: no route of its configuration has auth_type jwt' };

async function rotate(authority: TokenAuthority): Promise<AdminAnswer> {
  try {
    await authority.rotate();
    return json(201, keyList(authority));
  } catch (error) {
    if (!(error instanceof SignalboxError)) throw error;
    return json(error.code === 'store_unavailable' ? 503 : 409, { error: error.message });
  }
}

function keyList(authority: TokenAuthority) {
  return { keys: authority.keys().map(describe) };
}

function describe({ kid, algorithm, state, isEncrypted, createdAtMs, activatesAtMs, retiresAtMs }: KeyView) {
  return {
    kid,
    algorithm,
    state,
    encrypted: isEncrypted,
    created_at_ms: createdAtMs,
    activates_at_ms: activatesAtMs,
    retires_at_ms: retiresAtMs,
  };
}
