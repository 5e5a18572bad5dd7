import { z } from 'zod';
import { HeaderName } from './header-names.ts';
import { rule, secret } from './section.ts';

/** RFC 9110 §5.5. Secret, because it is where credentials for upstreams stand. */
export const HeaderValue = secret(
  z.string().regex(/^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,8190}[!-~\x80-\xff])?)?$/),
  'a header value: one line of at most 8192 printable characters',
);

const Values = z.record(HeaderName, HeaderValue).default({});

const HeaderRulesSection = z.strictObject({
  set: Values.describe('Headers that get this value, whatever was there: name → value.'),
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
