import { z } from 'zod';
import { bodyOf } from '#control/registry/forms.ts';
import { draftOf, recordOf } from '#core/registry/record.ts';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { configFile, readConfig } from './config-file.ts';
import { EXIT, type ExitCode } from './exit.ts';

export const help = `Usage: signalbox apply [--config FILE] [--admin URL]

Makes the upstreams of a cluster those that a configuration lists in its pools: adds and changes them, and
removes what it does not list. What operators said of upstreams (drain, maintenance) stays. Everything else
that the file says is left alone; instances read that when they start.

  --config  default: config/proxy.yaml, in the current folder or else in that of Signalbox
${ADMIN_HELP}`;

const Applied = z.object({
  revision: z.number(),
  added: z.array(z.string()),
  changed: z.array(z.string()),
  removed: z.array(z.string()),
  warnings: z.array(z.string()),
});

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values } = parseArguments('apply', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN }, config: { type: 'string' } },
  });
  const { table } = readConfig(configFile(values.config));
  const upstreams = Object.values(table.pools)
    .flatMap((pool) => pool.upstreams)
    .map((upstream) => {
      const { state, drain_ms, ...body } = bodyOf(recordOf(draftOf(upstream), undefined));
      return body;
    });
  const done = await askAdmin(values.admin, 'PUT', '/api/upstreams', Applied, { upstreams });
  for (const what of ['added', 'changed', 'removed'] as const) {
    for (const upstream of done[what]) console.log(`${upstream} ${what}`);
  }
  console.log(`the registry is as the file says (revision ${done.revision})`);
  for (const warning of done.warnings) console.error(`signalbox: ${warning}`);
  return EXIT.ok;
}
