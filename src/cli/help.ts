import { parseArguments } from './arguments.ts';
import { COMMANDS, loadCommand } from './commands.ts';
import { EXIT, type ExitCode } from './exit.ts';

export const help = `Usage: signalbox help [COMMAND]

Explains a command, or lists them all.`;

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { positionals } = parseArguments('help', { args: [...args], allowPositionals: true });
  const [name] = positionals;
  if (name === undefined) {
    console.log(overview());
    return EXIT.ok;
  }
  const command = await loadCommand(name);
  console.log(command.help);
  return EXIT.ok;
}

function overview(): string {
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);
  return `Usage: signalbox COMMAND [OPTIONS]

An HTTP reverse proxy whose every request is a statechart.

${lines.join('\n')}

\`signalbox help COMMAND\` explains a command.`;
}
