import type { Identity, Proven, Refused, RequestSteps } from '#actors/request/steps.ts';
import { type CredentialsProblem, readCredentials } from '#core/auth/credentials.ts';
import { refuseCredentials } from '#core/auth/refusal.ts';
import type { Fields } from '#core/fields.ts';
import type { Refusal } from '#core/refusals.ts';
import type { Auth } from '#core/table.ts';
import type { Authenticator, Rejection } from './authenticator.ts';

type Problem = CredentialsProblem | Rejection | 'internal';

const NOBODY = { type: 'identity.proven', identity: null } as const;

/** The request machine's step `authenticate`; tells its outcome at once unless something is waited for. */
export function authenticateStep(authenticator: Authenticator): RequestSteps['authenticate'] {
  return ({ exchange }, machine) => {
    const { auth } = exchange.route;
    if (auth === null) {
      machine.tell(NOBODY);
      return undefined;
    }
    const outcome = identify(authenticator, auth, exchange.request.headers);
    if (!(outcome instanceof Promise)) {
      machine.tell(conclusion(auth, outcome));
      return undefined;
    }
    // The check goes on for a client that left: it is bounded anyway, and its answer is remembered.
    let isStopped = false;
    outcome
      .catch((): Problem => 'internal')
      .then((settled) => {
        if (!isStopped) machine.tell(conclusion(auth, settled));
      });
    return {
      stop() {
        isStopped = true;
      },
    };
  };
}

function identify(
  authenticator: Authenticator,
  auth: Auth,
  headers: Fields,
): Identity | Problem | Promise<Identity | Problem> {
  const credentials = readCredentials(auth, headers);
  return 'problem' in credentials ? credentials.problem : authenticator.verify(auth, credentials);
}

function conclusion(auth: Auth, outcome: Identity | Problem): Proven | Refused {
  if (typeof outcome !== 'string') return { type: 'identity.proven', identity: outcome };
  return { type: 'request.refused', refusal: refusalOf(auth, outcome) };
}

function refusalOf(auth: Auth, problem: Problem): Refusal {
  if (problem === 'overloaded' || problem === 'internal') return { cause: problem };
  return refuseCredentials(auth, problem);
}
