/** Values and expectations in words. */

import { z } from 'zod';
import { printable } from './diagnostics.ts';
import { wordings } from './schema/section.ts';
import { didYouMean } from './suggest.ts';
import { membersOf, type Schema, unwrap } from './walk.ts';

type Kind = 'text' | 'number' | 'boolean' | 'list' | 'section';

/** Completes "expected …". */
export function expectation(schema: Schema): string {
  const inner = unwrap(schema);
  const words = wordings.get(inner)?.expected;
  if (words !== undefined) return words;
  if (inner instanceof z.ZodUnion) return inner.options.map(expectation).join(', or ');
  if (inner instanceof z.ZodEnum) return oneOf(choicesOf(inner));
  if (inner instanceof z.ZodLiteral) return `\`${[...inner.values].join('`, `')}\``;
  if (inner instanceof z.ZodBoolean) return '`true` or `false`';
  if (inner instanceof z.ZodArray) return listOf(inner.element);
  if (inner instanceof z.ZodObject || inner instanceof z.ZodRecord) return 'a section';
  return inner instanceof z.ZodString ? 'text' : 'anything';
}

function listOf(element: Schema): string {
  return kindsOf(element).includes('section') ? 'a list of sections' : `a list, each ${expectation(element)}`;
}

export function oneOf(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `\`${choice}\``).join(', ');
  return choices.length === 1 ? quoted : `one of ${quoted}`;
}

/** The texts that a value may be, where they are listed. */
export function choicesOf(schema: Schema): readonly string[] {
  const members = membersOf(schema).filter((member) => member instanceof z.ZodEnum);
  return members.flatMap((member) => member.options.map(String));
}

export function kindOf(value: unknown): Kind | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return 'list';
  const type = typeof value;
  if (type === 'number' || type === 'boolean') return type;
  return type === 'string' ? 'text' : 'section';
}

/** The kinds of value that `schema` takes. */
export function kindsOf(schema: Schema): readonly (Kind | null)[] {
  return membersOf(schema).map((member) => {
    if (member instanceof z.ZodLiteral) return kindOf(member.value);
    if (member instanceof z.ZodBoolean) return 'boolean';
    if (member instanceof z.ZodNumber) return 'number';
    if (member instanceof z.ZodArray) return 'list';
    return member instanceof z.ZodObject || member instanceof z.ZodRecord ? 'section' : 'text';
  });
}

const KIND_WORDS = {
  text: 'a text',
  number: 'a number',
  boolean: 'a truth value',
  list: 'a list',
  section: 'a section',
} as const satisfies Record<Kind, string>;

/** Completes "found …". */
export function describeValue(value: unknown, schema: Schema, isHidden: boolean): string {
  const kind = kindOf(value);
  if (kind === null) return 'nothing';
  if (kind === 'list' && Array.isArray(value) && value.length === 0) return 'an empty list';
  if (kind === 'number' || kind === 'boolean') return isHidden ? KIND_WORDS[kind] : String(value);
  if (typeof value !== 'string') return KIND_WORDS[kind];
  if (value === '') return 'an empty text';
  if (isHidden) return 'a text (not shown)';
  // Where no text belongs, it may be anything, a secret of the section below included.
  const kinds = kindsOf(schema);
  const isShown = kinds.includes('text') || kinds.includes('number') || meantBoolean(value) !== null;
  return isShown ? `\`${printable(value)}\`` : KIND_WORDS.text;
}

/** What was probably meant by a value that does not fit, as the end of a sentence. */
export function hintFor(value: unknown, schema: Schema): string {
  const kinds = kindsOf(schema);
  const kind = kindOf(value);
  if ((kind === 'number' || kind === 'boolean') && kinds.includes('text') && !kinds.includes(kind)) {
    return '; put it in quotes';
  }
  if (typeof value !== 'string') return '';
  if (kinds.includes('number') && /^-?\d+$/.test(value)) return '; leave out the quotes';
  const meant = meantBoolean(value);
  if (meant !== null && takesBoolean(schema, meant)) return `; did you mean \`${meant}\`?`;
  return didYouMean(value, choicesOf(schema));
}

/** The truth value that a text was in YAML 1.1, or null. */
function meantBoolean(text: string): boolean | null {
  if (/^(?:y|yes|on)$/i.test(text)) return true;
  return /^(?:n|no|off)$/i.test(text) ? false : null;
}

function takesBoolean(schema: Schema, value: boolean): boolean {
  return membersOf(schema).some(
    (member) =>
      member instanceof z.ZodBoolean || (member instanceof z.ZodLiteral && member.values.has(value)),
  );
}
