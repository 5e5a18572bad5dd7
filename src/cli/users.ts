import { z } from 'zod';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { readSecret } from './secret.ts';
import { formatTable } from './text-table.ts';

export const help = `Usage: signalbox users list [--admin URL]
       signalbox users disable USER [--admin URL]
       signalbox users enable USER [--admin URL]
       signalbox users delete USER [--admin URL]
       signalbox users set-password USER [--admin URL]

Shows the accounts of a running instance, or changes one; USER is an email or an id. To disable or delete a
user, or to set their password, ends all sessions of theirs, at once and in every instance; to enable one
again brings none back. The new password is asked for on a terminal, and else read from standard input; one
line break at the end is not part of it.

${ADMIN_HELP}`;

const User = z.object({
  id: z.string(),
  email: z.string(),
  created_at_ms: z.number(),
  disabled_at_ms: z.number().nullable(),
});
const UserList = z.object({ users: z.array(User) });
const Changed = z.object({ user: User });

/** More than any password that is accepted. */
const PASSWORD_BYTES_MAX = 4096;

const CHANGES = {
  disable: { method: 'POST', path: '/api/users/disable', done: 'disabled' },
  enable: { method: 'POST', path: '/api/users/enable', done: 'enabled' },
  delete: { method: 'DELETE', path: '/api/users', done: 'deleted' },
} as const;

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArguments('users', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN } },
    allowPositionals: true,
  });
  const [action = '', user, ...rest] = positionals;
  if (action === 'list' && user === undefined) {
    await printAll(values.admin);
    return EXIT.ok;
  }
  if (user === undefined || rest.length > 0 || (action !== 'set-password' && !isChange(action))) {
    throw usageError(
      'say `signalbox users list`, or `disable`, `enable`, `delete` or `set-password` and one user',
    );
  }
  if (action === 'set-password') {
    await setPassword(values.admin, user);
    return EXIT.ok;
  }
  const { method, path, done } = CHANGES[action];
  const changed = await askAdmin(values.admin, method, `${path}?${new URLSearchParams({ user })}`, Changed);
  console.log(`${changed.user.email} (${changed.user.id}) is ${done}`);
  return EXIT.ok;
}

function isChange(action: string): action is keyof typeof CHANGES {
  return Object.hasOwn(CHANGES, action);
}

async function setPassword(admin: string, user: string): Promise<void> {
  const password = await readSecret(`The new password of ${user} (not shown): `, PASSWORD_BYTES_MAX);
  const path = `/api/users/password?${new URLSearchParams({ user })}`;
  const changed = await askAdmin(admin, 'POST', path, Changed, { password });
  console.log(`${changed.user.email} (${changed.user.id}) has a new password, and no session`);
}

/** A page at a time, until one is empty. */
async function printAll(admin: string): Promise<void> {
  const rows: string[][] = [];
  for (let after = ''; ; ) {
    const { users } = await askAdmin(admin, 'GET', `/api/users?after=${after}`, UserList);
    for (const { id, email, disabled_at_ms } of users) {
      rows.push([id, email, disabled_at_ms === null ? 'active' : 'disabled']);
    }
    const last = users.at(-1);
    if (last === undefined) break;
    after = last.id;
  }
  console.log(formatTable(['id', 'email', 'state'], rows));
}
