import { hash as digest, randomBytes } from 'node:crypto';
import argon2 from 'argon2';
import { ARGON2ID } from '#core/auth/argon2id.ts';
import { CREDENTIALS_BYTES_MAX } from '#core/auth/credentials.ts';
import { normalForm } from '#core/auth/login.ts';
import { isToken68 } from '#core/auth/token68.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { readSecret } from './secret.ts';

export const help = `Usage: signalbox hash [--token]

Reads a password and prints its argon2id hash, for \`valid_users\`. Asks for it on a terminal, and else
reads standard input; one line break at the end is not part of it.

  --token  read a token and print its digest instead, for \`valid_tokens\``;

const SALT_BYTES = 16;

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values } = parseArguments('hash', {
    args: [...args],
    options: { token: { type: 'boolean', default: false } },
  });
  const what = values.token ? 'token' : 'password';
  const secret = await readSecret(`The ${what} (not shown): `, CREDENTIALS_BYTES_MAX);
  if (secret === '') throw usageError(`there is no ${what} on standard input`);
  if (/\p{Cc}/u.test(secret)) throw usageError(`a ${what} is one line without control characters`);
  if (values.token && !isToken68(secret)) {
    throw usageError('a token is letters, digits and -._~+/ with = at its end, or no client can send it');
  }
  console.log(values.token ? `sha256:${digest('sha256', secret)}` : await hashPassword(secret));
  return EXIT.ok;
}

/** In PHC format, with the parameters in its order: m, t, p. */
async function hashPassword(password: string): Promise<string> {
  const { memoryKib, passes, lanes } = ARGON2ID;
  const salt = randomBytes(SALT_BYTES);
  const hash = await argon2.hash(normalForm(password), {
    type: argon2.argon2id,
    memoryCost: memoryKib,
    timeCost: passes,
    parallelism: lanes,
    salt,
    raw: true,
  });
  return `$argon2id$v=19$m=${memoryKib},t=${passes},p=${lanes}$${unpadded(salt)}$${unpadded(hash)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString('base64').replace(/=+$/, '');
}
