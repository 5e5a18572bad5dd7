import { z } from 'zod';
import { isForwardingHeader } from '#core/forward-headers.ts';
import { isHopByHop } from '#core/headers.ts';
import { Anything, expecting, type Report } from './section.ts';
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
export const HeaderName = headerName(mistakeInChanging);

/** A header that Signalbox adds. */
export const OwnHeaderName = headerName((lowerName) => {
  const mistake = isTaken(lowerName)
    ? 'this header has a meaning already: give Signalbox one of its own'
    : null;
  return mistakeInChanging(lowerName) ?? mistake;
});

/** The header that carries an API key. */
export const KeyHeaderName = headerName((lowerName) => {
  const isFit = mistakeInChanging(lowerName) === null && !isTaken(lowerName);
  if (isFit || lowerName === 'authorization') return null;
  return 'this header has a meaning already: choose one that carries nothing but the key';
});

/** `mistakeIn` says what is wrong with a name, lower case, that is one; else null. */
function headerName(mistakeIn: (lowerName: string) => string | null) {
  const name = z.string().superRefine((name, context) => {
    const message = TOKEN.test(name) ? mistakeIn(name.toLowerCase()) : '';
    if (message !== null) context.addIssue({ code: 'custom', message });
  });
  return expecting(name, NAME_EXPECTED);
}

function mistakeInChanging(lowerName: string): string | null {
  if (lowerName === 'host')
    return 'the Host header is not set here: use `host_header` of the pool or upstream';
  const frames = lowerName === 'content-length' || lowerName === 'trailer';
  if (isHopByHop(lowerName) || frames || lowerName.startsWith('proxy-')) {
    return 'headers that frame messages or belong to one connection are for Signalbox to handle';
  }
  return null;
}

/** Written by Signalbox with another meaning, or relied on by clients and upstreams. */
const MEANINGFUL =
  /^(?:allow|authorization|content-.+|cookie|ratelimit(?:-policy)?|retry-after|server|set-cookie|www-authenticate|x-rate-limit-.+)$/;

function isTaken(lowerName: string): boolean {
  return isForwardingHeader(lowerName) || MEANINGFUL.test(lowerName);
}

// -- names that must differ --------------------------------------------------------------------------

export const OwnNamesView = z.object({
  request_id: Anything,
  response_time: Anything,
  proxy_by: Anything,
  backend: Anything,
  user_id: Anything,
  user_email: Anything,
  user_issuer: Anything,
});

const NamedView = z.object({ name: z.string() });

/** Two headers of one name would be one with two meanings. */
export function checkOwnNames(headers: z.output<typeof OwnNamesView>, report: Report): void {
  const keyByName = new Map<string, string>();
  for (const [key, name] of ownNames(headers)) {
    const first = keyByName.get(name);
    if (first === undefined) keyByName.set(name, key);
    else report(key.split('.'), `has the same name as \`${first}\`: give each its own`);
  }
}

const KeyView = z.object({ auth_type: z.literal('api_key'), api_key_header: z.string() });

export const KeyNamesView = z.object({
  headers: OwnNamesView,
  middleware: z.object({ auth: Anything }),
  routes: z.array(z.object({ auth: Anything })).optional(),
});

/** A header that Signalbox writes in place of the client's cannot carry the client's key. */
export function checkKeyNames(config: z.output<typeof KeyNamesView>, report: Report): void {
  const keyByName = new Map(ownNames(config.headers).map(([key, name]) => [name, key]));
  const check = (auth: unknown, path: readonly (string | number)[]) => {
    const name = KeyView.safeParse(auth).data?.api_key_header;
    const key = name === undefined ? undefined : keyByName.get(folded(name));
    if (key !== undefined)
      report([...path, 'api_key_header'], `Signalbox writes this header itself: it is \`headers.${key}\``);
  };
  check(config.middleware.auth, ['middleware', 'auth']);
  for (const [index, { auth }] of (config.routes ?? []).entries()) check(auth, ['routes', index, 'auth']);
}

/** The keys of `headers` and the names that they give, as upstreams tell them apart. */
function ownNames({ proxy_by, ...others }: z.output<typeof OwnNamesView>): [key: string, name: string][] {
  const names = { 'proxy_by.name': NamedView.safeParse(proxy_by).data?.name, ...others };
  return Object.entries(names).flatMap(([key, name]) =>
    typeof name === 'string' ? [[key, folded(name)]] : [],
  );
}

/** Upstreams that turn headers into variables cannot tell `_` from `-`. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll('_', '-');
}
