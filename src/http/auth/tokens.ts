import { hash, timingSafeEqual } from 'node:crypto';
import type { Identity } from '#actors/request/steps.ts';
import type { TokenList } from '#core/table.ts';

/** Hexadecimal digits of a token's digest that stand for it in keys and traces: 64 bits. */
const TOKEN_KEY_DIGITS = 16;

/** The tokens that a route accepts, ready to be compared with. */
export type AcceptedTokens = {
  readonly digests: readonly Buffer[];
  /** Who presents the token with the digest of the same index. */
  readonly identities: readonly Identity[];
};

export function acceptedTokens({ tokenDigests }: TokenList): AcceptedTokens {
  return {
    digests: tokenDigests.map((digest) => Buffer.from(digest, 'hex')),
    identities: tokenDigests.map((digest) => ({
      key: `token:${digest.slice(0, TOKEN_KEY_DIGITS)}`,
      user: null,
      apiKeyDigest: digest,
    })),
  };
}

export function identifyToken(accepted: AcceptedTokens, token: string): Identity | null {
  // Header values hold one character a byte, so this digests the bytes that were sent.
  const presented = hash('sha256', Buffer.from(token, 'latin1'), 'buffer');
  return accepted.identities[indexOfDigest(accepted.digests, presented)] ?? null;
}

/**
 * The index of `presented` in `digests`, or -1. Compares with every one of them in constant time, so that
 * how long it takes says neither whether there is a match nor where it stands.
 */
export function indexOfDigest(
  digests: readonly Buffer[],
  presented: Buffer,
  isEqual: (a: Buffer, b: Buffer) => boolean = timingSafeEqual,
): number {
  let found = -1;
  for (const [index, digest] of digests.entries()) {
    if (isEqual(digest, presented)) found = index;
  }
  return found;
}
