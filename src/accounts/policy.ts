/** What emails and passwords have to be like. */
import type { PasswordRules } from '#core/account-settings.ts';
import { normalForm } from '#core/auth/login.ts';

/** RFC 5321 §4.5.3.1.3, as corrected. */
const EMAIL_LENGTH_MAX = 254;
/**
 * One `@` with something on either side; no spaces and no control characters, which could break a header, and
 * nothing invisible, by which two accounts would look the same.
 */
const EMAIL = /^[^@\s\p{Cc}\p{DI}]+@[^@\s\p{Cc}\p{DI}]+$/u;

/** Characters, as Unicode counts them. Nothing is ever cut. */
export const PASSWORD_LENGTH_MAX = 128;

/** The one spelling of an email by which its account is known, or null for what is none. */
export function normaliseEmail(text: string): string | null {
  const email = normalForm(text.trim().toLowerCase());
  return email.isWellFormed() && email.length <= EMAIL_LENGTH_MAX && EMAIL.test(email) ? email : null;
}

/**
 * The one form of a password: what keyboards send differently for the same characters is the same (NIST
 * SP 800-63B §5.1.1.2). Null for what is no text, or too long.
 */
export function normalisePassword(text: string): string | null {
  if (!text.isWellFormed() || text.length > 4 * PASSWORD_LENGTH_MAX) return null;
  const password = normalForm(text);
  return [...password].length <= PASSWORD_LENGTH_MAX ? password : null;
}

/** A password as it was chosen, in its one form, or what is wrong with it, for whoever chose it. */
export type Choice = { readonly password: string } | { readonly problem: string };

/** Says what new passwords have to be like. */
export class PasswordPolicy {
  readonly #rules: PasswordRules;
  readonly #common: ReadonlySet<string>;

  constructor(rules: PasswordRules) {
    this.#rules = rules;
    this.#common = new Set(rules.commonPasswords.map(fold));
  }

  choose(text: string): Choice {
    const password = normalisePassword(text);
    if (password === null) return { problem: 'The password is too long (128 characters), or no text.' };
    const problem = this.#problemWith(password);
    return problem === null ? { password } : { problem };
  }

  #problemWith(password: string): string | null {
    const { lengthMin, mustMix } = this.#rules;
    if ([...password].length < lengthMin) return `The password needs at least ${lengthMin} characters.`;
    if (mustMix && !(/\p{Lu}/u.test(password) && /\p{Ll}/u.test(password) && /\p{Nd}/u.test(password))) {
      return 'The password needs an upper-case letter, a lower-case letter and a digit.';
    }
    return this.#common.has(fold(password)) ? 'The password is one of the most common ones.' : null;
  }
}

function fold(password: string): string {
  return normalForm(password).toLowerCase();
}
