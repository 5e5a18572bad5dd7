import assert from 'node:assert/strict';
import type {
  AccountStore,
  NewSession,
  RotationRequest,
  UserWithPassword,
} from '#accounts/store/contract.ts';
import { newUuid } from '#accounts/uuid.ts';

/** What a suite is run on: called once, before its tests. */
export type OpenStore = () => Promise<AccountStore>;

export const NOW = 1_800_000_000_000;
export const ACCESS_MS = 900_000;
export const IDLE_MS = 604_800_000;
export const ABSOLUTE_MS = 2_592_000_000;
export const GRACE_MS = 10_000;

let count = 0;

/** A text that no other test has. */
export function unique(kind: string): string {
  count++;
  return `${kind}-${count}`;
}

export async function addUser(store: AccountStore, createdAtMs = NOW): Promise<UserWithPassword> {
  const email = `${unique('someone')}@example.com`;
  const user = { id: newUuid(createdAtMs), email, passwordHash: 'hash', createdAtMs };
  assert.equal(await store.users.create(user), 'created');
  return { ...user, passwordChangedAtMs: createdAtMs, disabledAtMs: null };
}

export function newSession(user: UserWithPassword, nowMs = NOW): NewSession {
  return {
    id: newUuid(nowMs),
    userId: user.id,
    createdAtMs: nowMs,
    expiresAtMs: nowMs + ABSOLUTE_MS,
    passwordChangedAtMs: user.passwordChangedAtMs,
    token: {
      id: newUuid(nowMs),
      hash: unique('token'),
      expiresAtMs: nowMs + IDLE_MS,
      accessExpiresAtMs: nowMs + ACCESS_MS,
    },
  };
}

export async function addSession(
  store: AccountStore,
  user: UserWithPassword,
  nowMs = NOW,
): Promise<NewSession> {
  const session = newSession(user, nowMs);
  assert.deepEqual(await store.sessions.create(session), []);
  return session;
}

/** A request that presents a token at a time, with a successor that no other request has. */
export function present(tokenHash: string, nowMs = NOW): RotationRequest {
  const hash = unique('token');
  return {
    tokenHash,
    nowMs,
    successor: {
      id: newUuid(nowMs),
      hash,
      sealed: `sealed ${hash}`,
      expiresAtMs: nowMs + IDLE_MS,
      accessExpiresAtMs: nowMs + ACCESS_MS,
      graceUntilMs: nowMs + GRACE_MS,
    },
  };
}

/** Presents a token and returns its successor, which is expected to be the request's. */
export async function renew(store: AccountStore, tokenHash: string, nowMs = NOW): Promise<string> {
  const request = present(tokenHash, nowMs);
  assert.equal((await store.sessions.rotate(request)).outcome, 'rotated');
  return request.successor.hash;
}

export async function outcomeOf(store: AccountStore, tokenHash: string, nowMs = NOW): Promise<string> {
  return (await store.sessions.rotate(present(tokenHash, nowMs))).outcome;
}

export const ALL = { after: null, limit: 500 };
