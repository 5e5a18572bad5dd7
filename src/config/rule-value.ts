import type { RuleValue, RuleVariable } from '#core/table.ts';

export const RULE_VARIABLES: readonly RuleVariable[] = [
  'client_ip',
  'host',
  'request_id',
  'route',
  'upstream',
  'tls.version',
  'tls.client_subject',
  'tls.client_san',
  'tls.client_fingerprint',
];

/** An escape, a variable, or a `%{` that is neither. */
const EXPANSION = /%%\{|%\{(?:([a-z_.]+)\})?/g;

/** Reads `%{variable}`, and `%%{` for `%{` itself. Null where a variable is none that there is. */
export function parseRuleValue(text: string): RuleValue | null {
  const parts: Exclude<RuleValue, string>[number][] = [];
  let plain = '';
  let end = 0;
  for (const { 0: match, 1: name, index } of text.matchAll(EXPANSION)) {
    plain += text.slice(end, index);
    end = index + match.length;
    if (match === '%%{') {
      plain += '%{';
      continue;
    }
    const variable = RULE_VARIABLES.find((known) => known === name);
    if (variable === undefined) return null;
    parts.push(plain, { variable });
    plain = '';
  }
  plain += text.slice(end);
  return parts.length === 0 ? plain : [...parts, plain].filter((part) => part !== '');
}
