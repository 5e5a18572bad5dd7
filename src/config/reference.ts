/** The reference page of the configuration, from the schema. */

import { z } from 'zod';
import { isLive } from './live.ts';
import { membersOf, type Schema, SECTIONS, type Section, unwrap } from './walk.ts';
import { expectation } from './wording.ts';

/** Stands by what a reload puts into effect. */
const LIVE = '↻';

const INTRODUCTION = `# Configuration

<!-- Generated from src/config/schema.ts by \`npm run generate\`. -->

A configuration is one YAML file, or JSON, which is YAML. \`bin/signalbox check --config FILE\` names every
mistake in it at once, each with its line and column. Editors that know JSON Schema complete and check it
while you type, with this as its first line:

\`\`\`yaml
# yaml-language-server: $schema=./schema.json
\`\`\`

\`\${NAME}\` in a value stands for an environment variable, and \`\${NAME:-text}\` for the same with \`text\` in its
place where it is unset or empty. Elsewhere, a missing variable is an error. \`$\${\` stands for \`\${\` itself. A
value that is one variable and nothing else may be a number or a truth value, where the key takes one.
Variables expand after the file is parsed, so nothing in them can become a key or a list.

Unknown keys are errors. Durations are whole numbers in the unit that ends their name.

Settings marked ${LIVE} take effect with \`signalbox reload\` or \`SIGHUP\`, all at once; so does every section below
one that is. The others take a restart, and a reload names those that have changed.`;

export function renderReference(): string {
  const [whole, ...sections] = SECTIONS;
  const overview = whole === undefined ? [] : [renderOverview(whole.keys)];
  return `${[INTRODUCTION, ...overview, ...sections.map(renderSection)].join('\n\n')}\n`;
}

function renderOverview(keys: Section['keys']): string {
  const rows = Object.entries(keys).map(([key, schema]) => {
    const home = homeOf(schema);
    return [`${home === undefined ? `\`${key}\`` : linkTo(home, key)}${markOf(key)}`, describe(schema)];
  });
  return table(['section', 'meaning'], rows);
}

function renderSection({ path, keys }: Section): string {
  const rows = Object.entries(keys).map(([key, schema]) => [
    `\`${key}\`${markOf(`${path}.${key}`)}`,
    renderType(schema),
    renderDefault(schema),
    describe(schema),
  ]);
  return `## \`${path}\`\n\n${table(['key', 'value', 'default', 'meaning'], rows)}`;
}

function markOf(path: string): string {
  return isLive(path) ? ` ${LIVE}` : '';
}

function renderType(schema: Schema): string {
  const home = homeOf(schema);
  return home === undefined ? expectation(schema) : `${expectation(schema)}: ${linkTo(home, home.path)}`;
}

/** Where the keys of the section that a value is, or is made of, are explained. */
function homeOf(schema: Schema): Section | undefined {
  for (const member of membersOf(schema)) {
    const inner =
      member instanceof z.ZodArray
        ? member.element
        : member instanceof z.ZodRecord
          ? member.valueType
          : member;
    const home = SECTIONS.find((section) => section.schema === inner);
    if (home !== undefined) return home;
  }
  return undefined;
}

function renderDefault(schema: Schema): string {
  if (schema instanceof z.ZodOptional) return '';
  if (!(schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault)) return 'required';
  const { defaultValue } = schema.def;
  const text = typeof defaultValue === 'string' ? defaultValue : JSON.stringify(defaultValue);
  return text === '{}' ? '' : `\`${text}\``;
}

function describe(schema: Schema): string {
  const described = z.globalRegistry.get(schema) ?? z.globalRegistry.get(unwrap(schema));
  return described?.description ?? '';
}

/** A link to the heading of a section, as GitHub names it. */
function linkTo({ path }: Section, text: string): string {
  return `[\`${text}\`](#${path.toLowerCase().replaceAll(/[^\w-]/g, '')})`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
