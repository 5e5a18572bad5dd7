import { z } from 'zod';
import { isHopByHop } from '#core/headers.ts';
import { expecting, secret } from './section.ts';
import { text } from './values.ts';

/** RFC 9110 §5.6.2. */
export const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/;

const NAME_EXPECTED = 'a header name such as `X-Example`';

/** A header that is only read. */
export const ReadHeaderName = text(TOKEN, NAME_EXPECTED);

/** The part of a request's key that is the value of a header. */
export const HeaderKey = expecting(
  z.templateLiteral(['header:', z.string().regex(TOKEN)]),
  '`header:` and the name of a header',
);

/** A header that is changed, and so none that frames a message or belongs to one connection. */
export const HeaderName = expecting(
  z.string().superRefine((name, context) => {
    const message = mistakeIn(name);
    if (message !== null) context.addIssue({ code: 'custom', message });
  }),
  NAME_EXPECTED,
);

function mistakeIn(name: string): string | null {
  const lowerName = name.toLowerCase();
  if (!TOKEN.test(name)) return '';
  if (lowerName === 'host')
    return 'the Host header is not set here: use `host_header` of the pool or upstream';
  if (isHopByHop(lowerName) || lowerName === 'content-length' || lowerName.startsWith('proxy-')) {
    return 'headers that frame messages or belong to one connection are for Signalbox to handle';
  }
  return null;
}

/** RFC 9110 §5.5. Secret, because it is where credentials for upstreams stand. */
export const HeaderValue = secret(
  z.string().regex(/^(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]{0,8190}[!-~\x80-\xff])?)?$/),
  'a header value: one line of at most 8192 printable characters',
);

const Values = z.record(HeaderName, HeaderValue).default({});

/** Applied in the order remove, set, add. */
export const HeaderRules = z.strictObject({
  set: Values.describe('Headers that get this value, whatever was there: name → value.'),
  add: Values.describe('Headers that are appended: name → value.'),
  remove: z.array(HeaderName).default([]).describe('Headers that are taken away.'),
});
