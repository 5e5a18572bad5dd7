import { isIPv4 } from 'node:net';
import { z } from 'zod';
import { isHostName } from '../hosts.ts';
import { Access } from './access.ts';
import { Auth } from './auth.ts';
import { Cors } from './cors.ts';
import { BodyBytesMax, RateMin, RouteRetry, RouteTimeouts } from './forwarding.ts';
import { HeaderRules } from './header-rules.ts';
import { Method } from './method.ts';
import { PathPrefix } from './path-prefix.ts';
import { RateLimit } from './rate-limit.ts';
import { expecting } from './section.ts';
import { Name } from './values.ts';

const MatchHost = expecting(
  z.string().refine((host) => isHostName(host.replace(/^\*\./, '')) || isIPv4(host)),
  'a host name without port, or `*.` and a domain',
);

export const Route = z.strictObject({
  name: Name.optional().describe(
    'Names the route in metrics, traces and limits. Default: `route-1` for the first route of the file, and so on.',
  ),
  host: MatchHost.optional().describe(
    'Host that the request must name; `*.example.com` matches every name below `example.com`. Default: any.',
  ),
  path_prefix: PathPrefix.default('/').describe(
    'Path below which the route matches, by whole segments: `/api` matches `/api` and `/api/x`, not `/apix`. Escapes stand for what they encode. [How paths are read](paths.md).',
  ),
  methods: expecting(z.array(Method).min(1), 'a list of at least one method')
    .optional()
    .describe('Methods that the route matches. Default: all.'),
  pool: Name.default('default').describe(
    'Pool that the requests go to; `default` is that of `load_balancing`.',
  ),
  access: z
    .union([z.literal(false), Access])
    .optional()
    .describe('`false`, or what holds in place of `middleware.access`. Default: as there.'),
  cors: z
    .union([z.literal(false), Cors])
    .optional()
    .describe('`false`, or what holds in place of `middleware.cors`. Default: as there.'),
  auth: z
    .union([z.literal(false), Auth])
    .optional()
    .describe('`false`, or what holds in place of `middleware.auth`. Default: as there.'),
  rate_limit: z
    .union([z.literal(false), RateLimit])
    .optional()
    .describe(
      '`false`, or what holds in place of `middleware.rate_limit`. Default: as there, counted together with the other such routes.',
    ),
  retry: RouteRetry.optional().describe('What differs from `retry`.'),
  timeouts: RouteTimeouts.optional().describe('What differs from `timeouts`.'),
  body_bytes_max: BodyBytesMax.optional().describe('In place of `server.body_bytes_max`.'),
  body_rate_min: RateMin.optional().describe('In place of `server.body_rate_min`.'),
  response_rate_min: RateMin.optional().describe('In place of `server.response_rate_min`.'),
  request_headers: HeaderRules.prefault({}).describe(
    'Changes to what upstreams get, after those of `headers.request`.',
  ),
  response_headers: HeaderRules.prefault({}).describe(
    'Changes to what clients get, after those of `headers.response`.',
  ),
});

/** The name of the route at `index` of the file. */
export function routeName(route: { readonly name?: string | undefined }, index: number): string {
  return route.name ?? `route-${index + 1}`;
}
