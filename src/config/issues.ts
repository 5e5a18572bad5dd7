/** What the schema objects to → what a person can act on. */

import { z } from 'zod';
import { formatPath, type Path, printable } from './diagnostics.ts';
import type { Mistake, Source } from './source.ts';
import { didYouMean } from './suggest.ts';
import { membersOf, type Schema, SECTIONS, schemaAt, secretDepth, unwrap, valueAt } from './walk.ts';
import { describeValue, expectation, hintFor, kindOf, kindsOf, oneOf } from './wording.ts';

type Issue = z.core.$ZodIssue;

/**
 * The message that all issues are parsed with (`{ error: () => UNWORDED }`) but those of our own rules,
 * which bring theirs.
 */
export const UNWORDED = '';

/** What is wrong, each once, and nothing about values that could not even be read. */
export function explainIssues(issues: readonly Issue[], source: Source): Mistake[] {
  const mistakes = new Map<string, Mistake>();
  for (const mistake of issues.flatMap((issue) => explain(issue, [], source))) {
    mistakes.set(JSON.stringify([mistake.path, mistake.message]), mistake);
  }
  return [...mistakes.values()];
}

/** A path as people write it, without the names that are part of a secret. */
export function publicPath(path: Path): string {
  const depth = secretDepth(path) ?? path.length;
  const below = path.slice(depth);
  return formatPath([...path.slice(0, depth), ...below.filter((step) => typeof step === 'number')]);
}

function explain(issue: Issue, base: Path, source: Source): Mistake[] {
  const path = [...base, ...issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))];
  const schema = schemaAt(path);
  if (schema === null) return [];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const position = source.keyPositionOf([...path, key]);
      return { path, position, message: explainUnknownKey(key, schema) };
    });
  }
  if (source.isBroken(path)) return [];

  if (issue.code === 'invalid_union') {
    const inner = issuesOfMember(issue.errors, schema, valueAt(source.data, path));
    if (inner.length > 0) return inner.flatMap((each) => explain(each, path, source));
  }
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message || explainName(path);
    return [{ path, position: source.keyPositionOf(path), message }];
  }
  return [{ path, position: source.positionOf(path), message: explainValue(issue, path, schema, source) }];
}

/** The issues of the one member of a union that takes values of this kind; none if several do. */
function issuesOfMember(
  errors: readonly (readonly Issue[])[],
  schema: Schema,
  value: unknown,
): readonly Issue[] {
  const union = unwrap(schema);
  if (!(union instanceof z.ZodUnion)) return [];
  const takesKind = union.options.map((member) => kindsOf(member).includes(kindOf(value)));
  const fitting = errors.filter((_, index) => takesKind[index]);
  return fitting.length === 1 ? (fitting[0] ?? []) : [];
}

function explainValue(issue: Issue, path: Path, schema: Schema, source: Source): string {
  const value = valueAt(source.data, path);
  const [variable] = source.variablesOf(path);
  const isHidden = secretDepth(path) !== null;
  const found =
    variable === undefined
      ? describeValue(value, schema, isHidden)
      : `the ${value === '' ? 'empty ' : ''}value of \`${variable}\``;
  if (issue.code === 'custom' && issue.message !== UNWORDED) {
    return isScalar(value) && !isHidden ? `found ${found}: ${issue.message}` : issue.message;
  }
  if (value === undefined) return `missing; expected ${expectation(schema)}`;
  const hint = variable === undefined ? hintFor(value, schema) : '';
  return `found ${found}, expected ${expectation(schema)}${hint}`;
}

function isScalar(value: unknown): boolean {
  const kind = kindOf(value);
  return kind === 'text' || kind === 'number' || kind === 'boolean';
}

const HOMES_SHOWN_MAX = 3;

function explainUnknownKey(key: string, schema: Schema): string {
  const here = SECTIONS.find((section) => membersOf(schema).includes(section.schema));
  const keys = Object.keys(here?.keys ?? {});
  const unknown = `unknown key \`${printable(key)}\``;
  const near = didYouMean(key, keys);
  if (near !== '') return `${unknown}${near}`;
  // A wrong indentation puts a key into a section around its own, or within it.
  const homes = SECTIONS.filter(({ path, keys: known }) => path !== '' && Object.hasOwn(known, key))
    .map(({ path }) => path)
    .filter((path) => path.startsWith(here?.path ?? '') || here?.path.startsWith(path));
  if (homes.length > 0 && homes.length <= HOMES_SHOWN_MAX) {
    return `${unknown}; it belongs in \`${homes.join('` or `')}\``;
  }
  return `${unknown}; expected ${oneOf(keys)}`;
}

function explainName(path: Path): string {
  const parent = schemaAt(path.slice(0, -1));
  const record =
    parent === null ? undefined : membersOf(parent).find((member) => member instanceof z.ZodRecord);
  return record === undefined
    ? 'not a name'
    : `the name does not fit, expected ${expectation(record.keyType)}`;
}
