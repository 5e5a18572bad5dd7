import { z } from 'zod';
import { formatEndpoint } from '#core/endpoint.ts';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { formatTable } from './text-table.ts';

export const help = `Usage: signalbox upstreams list [--admin URL]

Shows the upstreams of a running instance.

${ADMIN_HELP}`;

const UpstreamList = z.object({
  upstreams: z.array(
    z.object({
      pool: z.string(),
      name: z.string(),
      address: z.string(),
      port: z.number(),
      weight: z.number(),
      state: z.string(),
      verdict: z.string(),
      in_flight: z.number(),
    }),
  ),
});

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArguments('upstreams', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN } },
    allowPositionals: true,
  });
  if (positionals.length !== 1 || positionals[0] !== 'list') {
    throw usageError('say `signalbox upstreams list`');
  }
  const { upstreams } = await askAdmin(values.admin, 'GET', '/api/upstreams', UpstreamList);
  const rows = upstreams.map((it) => [
    it.pool,
    it.name,
    formatEndpoint(it),
    String(it.weight),
    it.state,
    it.verdict,
    String(it.in_flight),
  ]);
  console.log(formatTable(['pool', 'name', 'address', 'weight', 'state', 'verdict', 'in flight'], rows));
  return EXIT.ok;
}
