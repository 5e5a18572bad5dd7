import { parseArguments } from './arguments.ts';
import { configFile, readConfig } from './config-file.ts';
import type { ExitCode } from './exit.ts';
import { serve } from './serve.ts';

export const help = `Usage: signalbox start [--config FILE] [--takeover]

Runs an instance until it is asked to end: SIGTERM or Ctrl-C lets it finish what is under way, a second
one ends it at once. SIGHUP makes it serve by the file as it is by then, as \`signalbox reload\` does.

  --config    default: config/proxy.yaml, in the current folder or else in that of Signalbox
  --takeover  starts beside an instance that has the same ports, and shares the port of the traffic with it
              until that one has ended; the admin listener is this one's from then on. Without another
              instance, this is a start like any other. Linux only: see docs/deployment.md`;

export function run(args: readonly string[]): Promise<ExitCode> {
  const { values } = parseArguments('start', {
    args: [...args],
    options: { config: { type: 'string' }, takeover: { type: 'boolean', default: false } },
  });
  return serve({ config: readConfig(configFile(values.config)), isTakeover: values.takeover });
}
