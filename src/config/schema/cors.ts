import { z } from 'zod';
import { ReadHeaderName } from './header-names.ts';
import { Method } from './method.ts';
import { expecting, rule } from './section.ts';
import { integer } from './values.ts';

const ANY = '*';
const DAY_SECONDS = 86_400;

/** As browsers write it (Fetch standard, "serializing a request origin"): no path, no port that is implied. */
const Origin = expecting(
  z.string().refine((text) => text === ANY || isOrigin(text)),
  '`*`, or an origin such as `https://app.example.com`',
);

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.origin === text;
  // Of programs that are not in a browser, such as `capacitor://localhost`.
  return /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9._-]+(?::\d{1,5})?$/.test(text);
}

const CorsSection = z.strictObject({
  allow_origins: expecting(z.array(Origin).min(1), 'a list of at least one origin').describe(
    'Origins whose scripts may use what is here: `https://app.example.com`, or `*` for all.',
  ),
  allow_methods: z.array(Method).default(['GET', 'HEAD', 'POST']).describe('Methods that they may use.'),
  allow_headers: z
    .array(ReadHeaderName)
    .default([])
    .describe(
      'Headers that they may send beside the few that all may, such as `Authorization`; `*` for all but that.',
    ),
  expose_headers: z
    .array(ReadHeaderName)
    .default([])
    .describe('Headers of answers that they may read, such as `X-Request-ID`; `*` for all.'),
  allow_credentials: z
    .boolean()
    .default(false)
    .describe('Whether browsers send cookies and the like along. Not together with `*`.'),
  max_age_seconds: integer(0, DAY_SECONDS, 'seconds')
    .default(600)
    .describe('How long browsers remember what they may.'),
});

const View = z.object({
  allow_origins: z.array(z.unknown()),
  allow_headers: z.array(z.unknown()),
  expose_headers: z.array(z.unknown()),
  allow_credentials: z.boolean(),
});

/** Which other origins' scripts may use what is here. */
export const Cors = rule(CorsSection, View, ({ allow_credentials, ...lists }, report) => {
  for (const [key, list] of Object.entries(lists)) {
    if (!list.includes(ANY)) continue;
    if (allow_credentials) report([key], 'browsers take no `*` with `allow_credentials`: name them');
    else if (list.length > 1) report([key], '`*` stands for all: leave out the others');
  }
});
