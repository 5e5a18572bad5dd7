import type { Refusal } from '../refusals.ts';
import type { Auth } from '../table.ts';
import { challengeFor } from './challenge.ts';
import type { CredentialsProblem } from './credentials.ts';

/** What a client is told who has no credentials, or none that are accepted; never which of their parts is wrong. */
export function refuseCredentials(auth: Auth, problem: CredentialsProblem | 'credentials_invalid'): Refusal {
  switch (problem) {
    case 'missing':
      return { cause: 'credentials_missing', challenge: challengeFor(auth, 'missing') };
    case 'malformed':
    case 'credentials_invalid':
      return { cause: 'credentials_invalid', challenge: challengeFor(auth, 'invalid') };
    case 'ambiguous':
      return { cause: 'ambiguous_credentials' };
  }
}
