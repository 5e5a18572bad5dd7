import { z } from 'zod';
import { isWildcard } from '#config/hosts.ts';
import { bodyOf } from '#control/registry/forms.ts';
import { type Endpoint, formatEndpoint } from '#core/endpoint.ts';
import { draftOf, recordOf } from '#core/registry/record.ts';
import { askAdmin, TOKEN_HELP } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { configFile, readConfig } from './config-file.ts';
import { EXIT, type ExitCode } from './exit.ts';

export const help = `Usage: signalbox apply [--config FILE] [--admin URL]

Makes the upstreams of a cluster those that a configuration lists in its pools: adds and changes them, and
removes what it does not list. What operators said of upstreams (drain, maintenance) stays. Everything else
that the file says is left alone: \`signalbox reload\` is for all of it.

  --config  default: config/proxy.yaml, in the current folder or else in that of Signalbox
  --admin   the admin listener of an instance; default: admin.listen of the file

${TOKEN_HELP}`;

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
    options: { admin: { type: 'string' }, config: { type: 'string' } },
  });
  const { settings, table } = readConfig(configFile(values.config));
  const admin = values.admin ?? urlOf(settings.admin);
  const upstreams = Object.values(table.pools)
    .flatMap((pool) => pool.upstreams)
    .map((upstream) => {
      const { state, drain_ms, ...body } = bodyOf(recordOf(draftOf(upstream), undefined));
      return body;
    });
  const done = await askAdmin(admin, 'PUT', '/api/upstreams', Applied, { upstreams });
  for (const what of ['added', 'changed', 'removed'] as const) {
    for (const upstream of done[what]) console.log(`${upstream} ${what}`);
  }
  console.log(`the registry is as the file says (revision ${done.revision})`);
  for (const warning of done.warnings) console.error(`signalbox: ${warning}`);
  return EXIT.ok;
}

/** From this machine. */
function urlOf({ address, port }: Endpoint): string {
  const local = address === '::' ? '::1' : '127.0.0.1';
  return `http://${formatEndpoint({ address: isWildcard(address) ? local : address, port })}`;
}
