import { type Chart, chartOf, MACHINES, renderMermaid } from './chart.ts';

/** docs/machines.md: every machine's drawing and what its states mean. */
export function renderMachinesPage(): string {
  const sections = Object.entries(MACHINES).map(([name, machine]) =>
    [
      `## ${name}`,
      '',
      '```mermaid',
      renderMermaid(machine).trimEnd(),
      '```',
      '',
      stateTable(chartOf(machine)),
    ].join('\n'),
  );
  return `${['# Machines', '', INTRODUCTION, '', ...sections].join('\n')}\n`;
}

const INTRODUCTION =
  'Drawn from the machines in `src/actors/` by `npm run generate`; a test fails when this page is stale. ' +
  '`bin/signalbox chart request` prints one.';

function stateTable(chart: Chart): string {
  const rows = chart.states
    .filter(({ description }) => description !== '')
    .map(({ path, description }) => `| \`${path}\` | ${description} |`);
  return ['| state | meaning |', '| --- | --- |', ...rows, ''].join('\n');
}

const PICTURE = /(<!-- picture: request -->\n)[\s\S]*?(<!-- \/picture -->)/;

/** The README with its picture of the request machine drawn anew. */
export function withPicture(readme: string): string {
  const picture = `\`\`\`mermaid\n${renderMermaid(MACHINES.request, false)}\`\`\`\n`;
  return readme.replace(PICTURE, (_, opening: string, closing: string) => opening + picture + closing);
}
