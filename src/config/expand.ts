import { isScalar, parseDocument } from 'yaml';
import type { Environment } from './env.ts';

/** An escape, a reference with its name and default, or a `${` that is neither. */
const EXPANSION = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

export type Expanded = {
  readonly text: string;
  /** The variables that the text has come from. */
  readonly variables: readonly string[];
  /** What is wrong with it; the text is of no use then. */
  readonly mistakes: readonly string[];
};

/**
 * Replaces `${NAME}` by the variable's value, and `${NAME:-text}` by `text` where the variable is unset or
 * empty, as a shell does; `$${` stands for `${` itself. Values are not expanded again.
 */
export function expand(text: string, env: Environment): Expanded {
  const variables: string[] = [];
  const mistakes: string[] = [];
  const expanded = text.replaceAll(EXPANSION, (match, name?: string, fallback?: string) => {
    if (match === '$${') return '${';
    if (name === undefined) {
      mistakes.push(`no variable's name follows \`\${\`; for the text itself, write \`$\${\``);
      return match;
    }
    variables.push(name);
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value || fallback;
    if (value === undefined) {
      mistakes.push(`the environment has no variable \`${name}\`; set it, or write \`\${${name}:-default}\``);
    }
    return value ?? match;
  });
  return { text: expanded, variables, mistakes };
}

/** Whether a text is one variable and nothing else, so that its value may be a number. */
export function isWhollyExpansion(text: string): boolean {
  return /^\$\{[A-Za-z_][A-Za-z0-9_]*(?::-[^}]*)?\}$/.test(text);
}

/** The number or truth value that `text` is in YAML, or else the text itself. */
export function readPlain(text: string): string | number | boolean {
  // Nothing but one short word can be either, and nothing in such a word can become structure.
  if (!/^[\w.+-]{1,40}$/.test(text)) return text;
  const { contents } = parseDocument(text, { schema: 'core', logLevel: 'error' });
  const value = isScalar(contents) ? contents.value : text;
  return typeof value === 'number' || typeof value === 'boolean' ? value : text;
}
