import { z } from 'zod';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';

export const help = `Usage: signalbox sessions revoke USER [--admin URL]
       signalbox sessions revoke --session ID [--admin URL]

Ends all sessions of a user (an email or an id), or one session (the \`sid\` of its access tokens): their
tokens are refused at once, in every instance.

  --session  the session
${ADMIN_HELP}`;

const Revoked = z.object({});

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArguments('sessions', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN }, session: { type: 'string' } },
    allowPositionals: true,
  });
  const [action, user, ...rest] = positionals;
  const { session } = values;
  const isOne = (user === undefined) !== (session === undefined);
  if (action !== 'revoke' || !isOne || rest.length > 0) {
    throw usageError('say `signalbox sessions revoke` and one user, or --session and one id');
  }
  const whose = session === undefined ? ['user', user ?? ''] : ['session', session];
  const query = new URLSearchParams([whose]);
  await askAdmin(values.admin, 'POST', `/api/sessions/revoke?${query}`, Revoked);
  console.log(session === undefined ? `all sessions of ${user} have ended` : `session ${session} has ended`);
  return EXIT.ok;
}
