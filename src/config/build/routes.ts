import type { z } from 'zod';
import type { Limit, Retry, Route, Timeouts } from '#core/table.ts';
import { Route as RouteSchema, routeName } from '../schema/route.ts';
import type { Config } from '../schema.ts';
import { type AuthConfig, buildAuth } from './auth.ts';
import { buildDoor } from './door.ts';
import { buildHeaderRules } from './header-rules.ts';
import { buildLimit } from './limit.ts';

type RouteConfig = z.output<typeof RouteSchema>;

/** The routes that inherit `middleware.rate_limit` count together, under this name. */
const SHARED_LIMIT = 'default';

/** All routes, the most specific first. */
export function buildRoutes(config: Config): Route[] {
  const routes = config.routes ?? [RouteSchema.parse({ name: 'default' })];
  return routes.map((route, index) => buildRoute(route, index, config)).sort(bySpecificity);
}

function buildRoute(route: RouteConfig, index: number, config: Config): Route {
  const name = routeName(route, index);
  const auth = authOf(route, config);
  return {
    ...buildDoor(config, route),
    name,
    match: {
      host: route.host?.toLowerCase() ?? null,
      pathPrefix: route.path_prefix,
      methods: route.methods ?? null,
    },
    pool: route.pool,
    auth: auth === null ? null : buildAuth(auth),
    limit: limitOf(route, name, config, auth !== null),
    retry: buildRetry(config.retry, route.retry),
    timeouts: buildTimeouts(config.timeouts, route.timeouts),
    bodyRateMin: route.body_rate_min ?? config.server.body_rate_min,
    responseRateMin: route.response_rate_min ?? config.server.response_rate_min,
    bodyBytesMax: route.body_bytes_max === undefined ? config.server.body_bytes_max : route.body_bytes_max,
    requestHeaders: buildHeaderRules(config.headers.request, route.request_headers),
    responseHeaders: buildHeaderRules(config.headers.response, route.response_headers),
  };
}

function authOf(route: RouteConfig, { middleware }: Config): AuthConfig | null {
  const auth = route.auth ?? middleware.auth;
  return auth === undefined || auth === false || !auth.enabled ? null : auth;
}

function limitOf(route: RouteConfig, name: string, { middleware }: Config, hasAuth: boolean): Limit | null {
  const limit = route.rate_limit ?? middleware.rate_limit;
  if (limit === undefined || limit === false || !limit.enabled) return null;
  // The prefix keeps a route that is called `default` apart from what all routes share.
  return buildLimit(route.rate_limit === undefined ? SHARED_LIMIT : `route:${name}`, limit, hasAuth);
}

function buildRetry(general: Config['retry'], own: RouteConfig['retry']): Retry {
  return {
    attempts: own?.attempts ?? general.attempts,
    onStatus: own?.on_status ?? general.on_status,
    nonIdempotent: own?.non_idempotent ?? general.non_idempotent,
    bodyBufferBytes: own?.body_buffer_bytes ?? general.body_buffer_bytes,
  };
}

function buildTimeouts(general: Config['timeouts'], own: RouteConfig['timeouts']): Timeouts {
  return {
    connectMs: own?.connect_ms ?? general.connect_ms,
    firstByteMs: own?.first_byte_ms ?? general.first_byte_ms,
    idleMs: own?.idle_ms ?? general.idle_ms,
    attemptMs: own?.attempt_ms ?? general.attempt_ms,
    requestMs: own?.request_ms ?? general.request_ms,
  };
}

/** Sorting is stable, so routes that are equally specific stay in the order of the file. */
function bySpecificity(a: Route, b: Route): number {
  return (
    hostRank(b.match.host) - hostRank(a.match.host) ||
    b.match.pathPrefix.length - a.match.pathPrefix.length ||
    Number(b.match.methods !== null) - Number(a.match.methods !== null)
  );
}

/** No host is as long (RFC 1035 §2.3.4). Finite, so that two exact hosts have a difference. */
const EXACT_HOST_RANK = 1000;

/** Exact hosts before wildcards, the longer of those first, before none. */
function hostRank(host: string | null): number {
  if (host === null) return 0;
  return host.startsWith('*.') ? host.length : EXACT_HOST_RANK;
}
