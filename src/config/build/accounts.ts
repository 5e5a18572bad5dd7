import type { AccountSettings } from '#core/account-settings.ts';
import { Accounts } from '../schema/accounts.ts';
import type { Config } from '../schema.ts';

/** `commonPasswords` is what `denylist_file` holds. */
export function buildAccounts(config: Config, commonPasswords: readonly string[]): AccountSettings {
  const { register, password, throttle } = config.accounts ?? Accounts.parse({});
  return {
    isRegisterRevealing: register.reveal,
    password: {
      lengthMin: password.min_length,
      mustMix: password.require_mixed,
      commonPasswords,
    },
    throttle: {
      attemptsMax: throttle.attempts,
      attemptsPerIpMax: throttle.attempts_per_ip,
      delayMsMax: throttle.max_delay_seconds * 1000,
      forgetMs: throttle.forget_after_seconds * 1000,
    },
  };
}
