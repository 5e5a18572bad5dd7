import { z } from 'zod';
import { checkOwnNames, OwnHeaderName, OwnNamesView, TOKEN } from './header-names.ts';
import { HeaderRules, HeaderValue } from './header-rules.ts';
import { rule } from './section.ts';
import { text } from './values.ts';

const NameOrOff = z.union([z.literal(false), OwnHeaderName]);

const HeadersSection = z.strictObject({
  request_id: NameOrOff.default('X-Request-ID').describe(
    'Header with the request id, on responses and to upstreams; `false`: none.',
  ),
  response_time: NameOrOff.default('X-Response-Time').describe(
    'Response header with the time that the request took, such as `12ms`; `false`: none.',
  ),
  proxy_by: z
    .union([
      z.literal(false),
      z.strictObject({
        name: OwnHeaderName.default('X-Proxy-By').describe('Name of the header.'),
        value: HeaderValue.default('signalbox').describe('What it says.'),
      }),
    ])
    .prefault({})
    .describe('Header that names the proxy, on responses and to upstreams; `false`: none.'),
  backend: NameOrOff.default('X-Backend').describe(
    'Response header with the name of the upstream that answered; `false`: none.',
  ),
  via: z
    .union([z.literal(false), text(TOKEN, 'a name such as `signalbox`, without spaces')])
    .default('signalbox')
    .describe(
      'Name of this proxy in `Via` and `Proxy-Status` (RFC 9110 §7.6.3); `false`: no `Via`, and loops go unseen.',
    ),
  forwarded: z
    .boolean()
    .default(false)
    .describe('Whether upstreams get `Forwarded` (RFC 7239) beside `X-Forwarded-*`.'),
  server: z
    .enum(['remove', 'pass'])
    .default('remove')
    .describe("What happens to the upstreams' `Server` header."),
  user_id: NameOrOff.default('X-User-ID').describe(
    'Header that tells upstreams who the user of a verified `jwt` is; `false`: none. What clients send under this name, or with `_` for `-`, is removed on every route.',
  ),
  user_email: NameOrOff.default('X-User-Email').describe(
    "Header that tells upstreams the user's email address, in UTF-8, where the token has one; `false`: none. Removed like `user_id`.",
  ),
  user_issuer: NameOrOff.default('X-User-Issuer').describe(
    'Header that tells upstreams who issued the token: user ids of two issuers may be equal; `false`: none. Removed like `user_id`.',
  ),
  request: HeaderRules.prefault({}).describe('Changes to what upstreams get, on every route.'),
  response: HeaderRules.prefault({}).describe('Changes to what clients get, on every route.'),
});

export const Headers = rule(HeadersSection, OwnNamesView, checkOwnNames);
