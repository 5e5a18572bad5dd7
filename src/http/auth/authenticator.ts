import type { Identity } from '#actors/request/steps.ts';
import type { Credentials } from '#core/auth/credentials.ts';
import type { Login } from '#core/auth/login.ts';
import type { Auth, TokenList } from '#core/table.ts';
import { PasswordChecks, type VerifyPassword } from './password-checks.ts';
import { type AcceptedTokens, acceptedTokens, identifyToken } from './tokens.ts';

/** Why credentials lead to no identity; the causes of the refusals that follow. */
export type Rejection = 'credentials_invalid' | 'overloaded';

export type Verdict = Identity | Rejection;

export type Authenticator = {
  /** Who presents `credentials`; a promise only when a password has to be hashed, or a key to be asked for. */
  verify(auth: Auth, credentials: Credentials): Verdict | Promise<Verdict>;
};

/** Verifies access tokens; null is for every one that is not accepted. */
export type AccessTokens = { verify(token: string): Identity | null | Promise<Identity | null> };

export function createAuthenticator(verifyPassword: VerifyPassword, tokens: AccessTokens): Authenticator {
  const passwords = new PasswordChecks(verifyPassword);
  // A table is replaced as a whole, and what was prepared for its routes goes with it.
  const tokensOf = new WeakMap<TokenList, AcceptedTokens>();

  return {
    verify(auth, { token, login }) {
      if (auth.scheme === 'jwt') return identifyBearer(tokens, token);
      let accepted = tokensOf.get(auth);
      if (accepted === undefined) {
        accepted = acceptedTokens(auth);
        tokensOf.set(auth, accepted);
      }
      const identity = identifyToken(accepted, token);
      if (identity !== null) return identity;
      if (auth.scheme !== 'basic' || login === null) return 'credentials_invalid';
      return identifyUser(passwords, auth.users, login);
    },
  };
}

function identifyBearer(tokens: AccessTokens, token: string): Verdict | Promise<Verdict> {
  const answer = tokens.verify(token);
  return answer instanceof Promise ? answer.then(verdictOn) : verdictOn(answer);
}

function verdictOn(identity: Identity | null): Verdict {
  return identity ?? 'credentials_invalid';
}

type Users = Extract<Auth, { scheme: 'basic' }>['users'];

function identifyUser(
  passwords: PasswordChecks,
  users: Users,
  { user, password }: Login,
): Verdict | Promise<Verdict> {
  const listedHash = Object.hasOwn(users, user) ? users[user] : undefined;
  const hash = listedHash ?? decoyHash(users);
  if (hash === null) return 'credentials_invalid';

  const conclude = (isRight: boolean): Verdict =>
    isRight && listedHash !== undefined
      ? { key: `user:${user}`, user, apiKeyDigest: null }
      : 'credentials_invalid';
  const answer = passwords.check(user, hash, password);
  if (answer === 'overloaded') return answer;
  return typeof answer === 'boolean' ? conclude(answer) : answer.then(conclude);
}

/**
 * A hash that no password has, with the parameters of the first user's: checking the password of an
 * unknown user takes as long as checking a wrong one. Null when nobody is listed, and so nobody to hide.
 */
function decoyHash(users: Users): string | null {
  const [hash] = Object.values(users);
  if (hash === undefined) return null;
  const [, algorithm, version, parameters, salt = '', digest = ''] = hash.split('$');
  return ['', algorithm, version, parameters, 'A'.repeat(salt.length), 'A'.repeat(digest.length)].join('$');
}
