import { z } from 'zod';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { formatTable } from './text-table.ts';

export const help = `Usage: signalbox users list [--admin URL]
       signalbox users disable USER [--admin URL]
       signalbox users enable USER [--admin URL]
       signalbox users delete USER [--admin URL]

Shows the accounts of a running instance, or changes one; USER is an email or an id. To disable or delete a
user ends all sessions of theirs, at once and in every instance; to enable one again brings none back.

${ADMIN_HELP}`;

const User = z.object({
  id: z.string(),
  email: z.string(),
  created_at_ms: z.number(),
  disabled_at_ms: z.number().nullable(),
});
const UserList = z.object({ users: z.array(User) });
const Changed = z.object({ user: User });

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
  if (!isChange(action) || user === undefined || rest.length > 0) {
    throw usageError('say `signalbox users list`, or `disable`, `enable` or `delete` and one user');
  }
  const { method, path, done } = CHANGES[action];
  const changed = await askAdmin(values.admin, method, `${path}?user=${encodeURIComponent(user)}`, Changed);
  console.log(`${changed.user.email} (${changed.user.id}) is ${done}`);
  return EXIT.ok;
}

function isChange(action: string): action is keyof typeof CHANGES {
  return Object.hasOwn(CHANGES, action);
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
