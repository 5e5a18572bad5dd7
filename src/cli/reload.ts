import { z } from 'zod';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode } from './exit.ts';

export const help = `Usage: signalbox reload [--admin URL]

Makes an instance read its configuration file again and serve by it, as SIGHUP does. Requests that are under way
end as they began. A file with mistakes is refused with all of them, and what was served is served on. Settings
that take a restart are named.

${ADMIN_HELP}`;

const Reloaded = z.object({
  file: z.string(),
  checksum: z.string(),
  upstreams: z.object({
    added: z.array(z.string()),
    changed: z.array(z.string()),
    removed: z.array(z.string()),
  }),
  awaiting_restart: z.array(z.string()),
  warnings: z.array(z.string()),
});

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values } = parseArguments('reload', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN } },
  });
  const done = await askAdmin(values.admin, 'POST', '/api/reload', Reloaded);
  for (const what of ['added', 'changed', 'removed'] as const) {
    for (const upstream of done.upstreams[what]) console.log(`${upstream} ${what}`);
  }
  console.log(`${done.file} is in effect (checksum ${done.checksum})`);
  for (const warning of done.warnings) console.error(warning);
  for (const setting of done.awaiting_restart) {
    console.error(`signalbox: ${setting} has changed; that takes effect after a restart`);
  }
  return EXIT.ok;
}
