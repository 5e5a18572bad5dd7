import { chartOf, MACHINES, renderMermaid } from '#actors/chart.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { unknownWord } from './unknown-word.ts';

export const help = `Usage: signalbox chart [MACHINE] [--format mermaid|json]

Prints the chart of a machine, or of all of them: ${Object.keys(MACHINES).join(', ')}.

  --format  mermaid (default) for a drawing, json for its states and edges as data`;

export function run(args: readonly string[]): ExitCode {
  const { values, positionals } = parseArguments('chart', {
    args: [...args],
    options: { format: { type: 'string', default: 'mermaid' } },
    allowPositionals: true,
  });
  const machines = machinesNamed(positionals);
  if (values.format === 'json') {
    const charts = machines.map(([, machine]) => chartOf(machine));
    console.log(JSON.stringify(positionals.length === 0 ? charts : charts[0], null, 2));
  } else if (values.format === 'mermaid') {
    console.log(
      machines
        .map(([name, machine]) => `%% ${name}\n${renderMermaid(machine)}`)
        .join('\n')
        .trimEnd(),
    );
  } else {
    throw usageError(`--format is \`mermaid\` or \`json\`, not ${JSON.stringify(values.format)}`);
  }
  return EXIT.ok;
}

function machinesNamed([name, ...more]: readonly string[]) {
  const machines = Object.entries(MACHINES);
  if (more.length > 0) throw usageError('give one machine, or none for all of them');
  if (name === undefined) return machines;
  const named = machines.filter(([each]) => each === name);
  if (named.length > 0) return named;
  const names = Object.keys(MACHINES);
  throw unknownWord('machine', name, names, `there are ${names.join(', ')}`);
}
