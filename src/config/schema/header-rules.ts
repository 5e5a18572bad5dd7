import { z } from 'zod';
import { parseRuleValue, RULE_VARIABLES } from '../rule-value.ts';
import { HeaderName } from './header-names.ts';
import { rule, secret } from './section.ts';

const VARIABLES = RULE_VARIABLES.map((name) => `\`%{${name}}\``).join(', ');

/** RFC 9110 §5.5. Secret, because it is where credentials for upstreams stand. */
const VALUE = /^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,8190}[!-~\x80-\xff])?)?$/;
const VALUE_EXPECTED = 'a header value: one line of at most 8192 printable characters';

export const HeaderValue = secret(z.string().regex(VALUE), VALUE_EXPECTED);

const RuleValue = secret(
  z
    .string()
    .regex(VALUE)
    .transform((text, context) => {
      const value = parseRuleValue(text);
      if (value !== null) return value;
      const message = `has a variable that there is not; expected ${VARIABLES}, or \`%%{\` for the text itself`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }),
  VALUE_EXPECTED,
);

const Values = z.record(HeaderName, RuleValue).default({});

const HeaderRulesSection = z.strictObject({
  set: Values.describe(
    `Headers that get this value, whatever was there: name → value. In values, ${VARIABLES} stand for what they name.`,
  ),
  add: Values.describe('Headers that are appended: name → value.'),
  remove: z.array(HeaderName).default([]).describe('Headers that are taken away.'),
});

const SetView = z.object({ set: z.record(z.string(), z.unknown()) });

/** Applied in the order remove, set, add. */
export const HeaderRules = rule(HeaderRulesSection, SetView, ({ set }, report) => {
  const nameByLower = new Map<string, string>();
  for (const name of Object.keys(set)) {
    const first = nameByLower.get(name.toLowerCase());
    if (first === undefined) nameByLower.set(name.toLowerCase(), name);
    else report(['set', name], `\`${first}\` is the same header; case does not count`);
  }
});
