import { z } from 'zod';
import { PASSWORD_LENGTH_MAX } from '#accounts/policy.ts';
import { expecting } from './section.ts';
import { integer } from './values.ts';

const DAY_SECONDS = 86_400;

const Register = z.strictObject({
  reveal: z
    .boolean()
    .default(true)
    .describe(
      'Whether registering says that an email is taken (409), and logs in at once. `false`: 202 and the same words either way, and then a login.',
    ),
});

const Password = z.strictObject({
  min_length: integer(8, PASSWORD_LENGTH_MAX).default(8).describe('Characters that a new password needs.'),
  require_mixed: z
    .boolean()
    .default(true)
    .describe('Whether it needs an upper-case letter, a lower-case one and a digit.'),
  denylist_file: expecting(z.string().min(1).max(4096), 'the name of a text file')
    .optional()
    .describe(
      'Passwords that are too common, one a line, at most 1 MiB; compared without regard to case. Relative to this file.',
    ),
});

const Throttle = z.strictObject({
  attempts: integer(1, 100_000)
    .default(5)
    .describe('Failed logins of one account before the next one has to wait; the wait doubles each time.'),
  attempts_per_ip: integer(1, 100_000)
    .default(50)
    .describe('The same for one client address, over all accounts; and for registrations, failed or not.'),
  max_delay_seconds: integer(1, DAY_SECONDS, 'seconds').default(300).describe('The longest wait.'),
  forget_after_seconds: integer(60, 30 * DAY_SECONDS, 'seconds')
    .default(3600)
    .describe('After that long without a failure, they are forgotten.'),
});

export const Accounts = z.strictObject({
  register: Register.prefault({}).describe('Who can make an account.'),
  password: Password.prefault({}).describe('What a new password has to be like.'),
  throttle: Throttle.prefault({}).describe(
    'How guessing is slowed down. No account is ever locked for good.',
  ),
});
