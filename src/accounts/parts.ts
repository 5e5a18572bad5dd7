import type { Clock } from '#core/clock.ts';
import type { Refusal } from '#core/refusals.ts';
import type { Log } from '#telemetry/log.ts';
import type { Attempts } from './attempts.ts';
import type { Passwords } from './passwords.ts';
import type { PasswordPolicy } from './policy.ts';
import type { Revocations } from './revocations.ts';
import type { Sessions } from './sessions.ts';
import type { AccountStore } from './store/contract.ts';

/** What accounts are made, used and changed with. */
export type AccountParts = {
  readonly store: AccountStore;
  readonly passwords: Passwords;
  readonly policy: PasswordPolicy;
  readonly attempts: Attempts;
  readonly sessions: Sessions;
  readonly revocations: Revocations;
  /** Whether registering tells that an email is taken. */
  readonly isRegisterRevealing: boolean;
  readonly clock: Clock;
  readonly log: Log;
};

/** Who asks: for limits and for the log. */
export type Caller = { readonly address: string; readonly requestId: string };

/** A 401 has one (RFC 9110 §11.6.1); browsers do not ask for a password because of it. */
export const CHALLENGE = 'Bearer realm="signalbox"';

/** No active account has this email and this password; which of the three is wrong is not told. */
export const LOGIN_FAILED: Refusal = { cause: 'login_failed', challenge: CHALLENGE };

/** `detail` says what is wrong with what was sent, and quotes nothing of it. */
export function invalid(detail: string): Refusal {
  return { cause: 'input_invalid', detail };
}

/** Notes an event by ids and addresses: neither emails nor anything that was sent. */
export function note(log: Log, event: string, { address, requestId }: Caller, userId: string | null): void {
  log.info({ user_id: userId, ip: address, request_id: requestId }, event);
}
