import packageFile from '../../package.json' with { type: 'json' };
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode } from './exit.ts';

export const help = `Usage: signalbox version

Prints the version.`;

export function run(args: readonly string[]): ExitCode {
  parseArguments('version', { args: [...args] });
  console.log(`signalbox ${packageFile.version}`);
  return EXIT.ok;
}
