import { z } from 'zod';
import { isToken68 } from '#core/auth/token68.ts';
import { KeyHeaderName } from './header-names.ts';
import { type Report, rule, secret } from './section.ts';
import { text } from './values.ts';

const API_KEY_HEADER = 'X-API-Key';

/** `sha256:` and 64 hexadecimal digits: a token that the file does not show. */
export const DIGEST = /^sha256:([0-9a-f]{64})$/i;

const Token = secret(
  z.string().regex(/^(?:sha256:[0-9a-fA-F]{64}|(?!sha256:)[!-~]{1,4096})$/),
  'a token of 1 to 4096 visible ASCII characters, or `sha256:` and 64 hexadecimal digits',
);

// A colon ends the name on the wire (RFC 7617 §2).
const UserName = secret(
  z
    .string()
    .min(1)
    .max(256)
    .refine((name) => !/[:\p{Cc}]/u.test(name)),
  'a user name of 1 to 256 characters without a colon',
);

// The specification puts the parameters in the order m, t, p; the argon2 package sorts them by name.
const PasswordHash = secret(
  z
    .string()
    .regex(
      /^\$argon2id\$v=19\$([mtp])=[1-9]\d{0,7},(?!\1)([mtp])=[1-9]\d{0,7},(?!\1|\2)[mtp]=[1-9]\d{0,7}\$[A-Za-z0-9+/]{11,86}\$[A-Za-z0-9+/]{16,172}$/,
    ),
  'an argon2id hash in PHC format, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`',
);

const AuthType = z.enum(['bearer', 'basic', 'api_key', 'jwt']);

const AuthSection = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether requests need credentials.'),
  auth_type: AuthType.default('bearer').describe(
    'Where credentials come from: `Authorization: Bearer`, `Authorization: Basic`, or a header of their own; with `jwt`, `Authorization: Bearer` and a token as the section `jwt` has it.',
  ),
  valid_tokens: secret(z.array(Token), 'a list of tokens')
    .default([])
    .describe(
      'Accepted tokens, as they are or as `sha256:<64 hexadecimal digits>`. With `basic`, they stand where `base64(user:password)` would.',
    ),
  valid_users: secret(z.record(UserName, PasswordHash), 'a section of user names and argon2id hashes')
    .default({})
    .describe('Accepted users of `basic`: name → argon2id hash of the password, in PHC format.'),
  api_key_header: KeyHeaderName.default(API_KEY_HEADER).describe(
    'The header that carries the key of `api_key`.',
  ),
  realm: text(/^[ -~]{1,128}$/, 'one line of 1 to 128 ASCII characters')
    .default('signalbox')
    .describe('Names the protected area in `WWW-Authenticate`.'),
  forward_credentials: z.boolean().default(false).describe('Whether upstreams get to see the credentials.'),
});

const View = z.object({
  enabled: z.boolean(),
  auth_type: AuthType,
  valid_tokens: z.array(z.unknown()),
  valid_users: z.record(z.string(), z.unknown()),
  api_key_header: z.string(),
});

export const Auth = rule(AuthSection, View, (auth, report) => {
  if (!auth.enabled) return;
  requireCredentials(auth, report);
  const type = auth.auth_type;
  if (type !== 'basic' && Object.keys(auth.valid_users).length > 0) {
    report(['valid_users'], 'works with `auth_type: basic` only');
  }
  if (type === 'jwt' && auth.valid_tokens.length > 0) {
    report(['valid_tokens'], 'does not work with `auth_type: jwt`');
  }
  if (type !== 'api_key' && auth.api_key_header !== API_KEY_HEADER) {
    report(['api_key_header'], 'works with `auth_type: api_key` only');
  }
  // Stranger tokens cannot be sent behind `Bearer` and `Basic`, so nobody could present them.
  if (type !== 'bearer' && type !== 'basic') return;
  for (const [index, token] of auth.valid_tokens.entries()) {
    const { success, data } = Token.safeParse(token);
    if (!success || DIGEST.test(data) || isToken68(data)) continue;
    report(
      ['valid_tokens', index],
      `not a token that \`${type}\` can carry: expected letters, digits and \`-._~+/\`, then any number of \`=\``,
    );
  }
});

function requireCredentials(auth: z.infer<typeof View>, report: Report): void {
  const hasToken = auth.valid_tokens.length > 0;
  const hasUser = Object.keys(auth.valid_users).length > 0;
  if (auth.auth_type === 'basic') {
    if (!hasToken && !hasUser)
      report([], '`basic` needs a user in `valid_users` or a token in `valid_tokens`');
  } else if (auth.auth_type !== 'jwt' && !hasToken) {
    report([], `\`${auth.auth_type}\` needs at least one token in \`valid_tokens\``);
  }
}
