import { fileURLToPath } from 'node:url';
import { formatEndpoint } from '#core/endpoint.ts';
import type { Settings } from '#core/settings.ts';
import type { Upstream } from '#core/table.ts';
import { parseArguments } from './arguments.ts';
import { readConfig } from './config-file.ts';
import { startDemoUpstream } from './demo-upstream.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { serve } from './serve.ts';

const CONFIG_FILE = fileURLToPath(new URL('../../config/demo.yaml', import.meta.url));

export const help = `Usage: signalbox demo

Runs an instance with config/demo.yaml and plays the three upstreams that it names, until Ctrl-C.
Each upstream says its name; /headers shows what it was sent, /slow takes two seconds.`;

export async function run(args: readonly string[]): Promise<ExitCode> {
  parseArguments('demo', { args: [...args] });
  const config = readConfig(CONFIG_FILE);
  const upstreams = Object.values(config.table.pools).flatMap((pool) => pool.upstreams);
  const servers = await Promise.all(upstreams.map(startDemoUpstream));
  await serve({ config, onReady: () => console.log(introduction(config.settings, upstreams)) });
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  return EXIT.ok;
}

function introduction({ server, admin }: Settings, upstreams: readonly Upstream[]): string {
  const url = `http://localhost:${server.port}`;
  return `
Signalbox   ${url}   (${CONFIG_FILE})
admin       http://${formatEndpoint(admin)}
upstreams   ${upstreams.map(({ name, port }) => `${name} on ${port}`).join(', ')}

In another terminal:

  curl -i ${url}/hello
  curl ${url}/headers
  curl -i -H 'Authorization: Bearer demo-token' ${url}/private

Ctrl-C ends all of it.
`;
}
