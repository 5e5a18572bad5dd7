import { parseArguments } from './arguments.ts';
import { configFile, readConfig } from './config-file.ts';
import { EXIT, type ExitCode } from './exit.ts';

export const help = `Usage: signalbox check [--config FILE]

Prints every mistake in a configuration as file:line:column. Exits with 0 if an instance could start
with it, and with 78 if not.

  --config  default: config/proxy.yaml, in the current folder or else in that of Signalbox`;

export function run(args: readonly string[]): ExitCode {
  const { values } = parseArguments('check', { args: [...args], options: { config: { type: 'string' } } });
  const file = configFile(values.config);
  readConfig(file);
  console.log(`${file}: ok`);
  return EXIT.ok;
}
