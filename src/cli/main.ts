/** The command line tool: finds the command, runs it, and turns what it throws into a line and a code. */
import './early-signals.ts';
import { codeOf, SignalboxError } from '#core/errors.ts';
import { loadCommand } from './commands.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit.ts';

const HELP_OPTIONS = ['--help', '-h'];
const VERSION_OPTIONS = ['--version', '-v'];

// `signalbox help | head -1` is no reason to complain.
process.stdout.on('error', (error) => process.exit(codeOf(error) === 'EPIPE' ? EXIT.ok : EXIT.software));
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<ExitCode> {
  try {
    const [name, rest] = commandOf(args);
    const command = await loadCommand(name);
    return await command.run(rest);
  } catch (error) {
    console.error(explain(error));
    return exitCodeOf(error);
  }
}

/** The command that is meant, and what is left for it. */
function commandOf([first = '--help', ...rest]: readonly string[]): [name: string, args: readonly string[]] {
  if (HELP_OPTIONS.includes(first)) return ['help', []];
  if (VERSION_OPTIONS.includes(first)) return ['version', []];
  return rest.some((arg) => HELP_OPTIONS.includes(arg)) ? ['help', [first]] : [first, rest];
}

function explain(error: unknown): string {
  if (!(error instanceof SignalboxError)) {
    return `signalbox: this is a mistake in Signalbox:\n${error instanceof Error ? error.stack : String(error)}`;
  }
  // A configuration's mistakes begin with the place where they are, as editors expect it.
  return error.code === 'config_invalid' ? error.message : `signalbox: ${error.message}`;
}
