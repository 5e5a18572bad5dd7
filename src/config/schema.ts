/**
 * The one description of the configuration: it gives the parser, the types, the JSON Schema for editors
 * and the reference page. Keys are in snake_case; a duration's name ends in its unit.
 */

import { z } from 'zod';
import { Access } from './schema/access.ts';
import { Accounts } from './schema/accounts.ts';
import { Auth } from './schema/auth.ts';
import { Cluster } from './schema/cluster.ts';
import { Cors } from './schema/cors.ts';
import { Database } from './schema/database.ts';
import { Dns } from './schema/dns.ts';
import { Retry, Timeouts } from './schema/forwarding.ts';
import { checkKeyNames, KeyNamesView } from './schema/header-names.ts';
import { Headers } from './schema/headers.ts';
import { checkIdentities, IdentitiesView } from './schema/identities.ts';
import { Jwt } from './schema/jwt.ts';
import {
  Actors,
  Admin,
  Health,
  Limits,
  Log,
  Metrics,
  Shutdown,
  UpstreamConnections,
} from './schema/operations.ts';
import { Pool } from './schema/pool.ts';
import { RateLimit } from './schema/rate-limit.ts';
import {
  checkListeners,
  checkPools,
  checkRoutes,
  ListenersView,
  PoolsView,
  RoutesView,
} from './schema/relations.ts';
import { Route } from './schema/route.ts';
import { expecting, rule } from './schema/section.ts';
import { Server } from './schema/server.ts';
import { Telemetry } from './schema/telemetry.ts';
import { Name } from './schema/values.ts';

const Middleware = z.strictObject({
  access: Access.optional().describe(
    'Which addresses may ask: on every route, and where Signalbox answers itself, `/health` apart. Left out: all.',
  ),
  cors: Cors.optional().describe(
    "Which other origins' scripts may use what is here, `/auth/*` included. Left out: this is between browsers and upstreams.",
  ),
  auth: Auth.optional().describe('Who may make requests. Left out: everyone.'),
  rate_limit: RateLimit.optional().describe('How many requests each client may make. Left out: any number.'),
});

const Sections = z.strictObject({
  server: Server.prefault({}).describe('The listener that clients connect to.'),
  load_balancing: Pool.optional().describe('The pool `default`: where requests go, and how they are spread.'),
  pools: z
    .record(Name, Pool)
    .default({})
    .describe('More pools, by name, each with the keys of `load_balancing`; `routes` lead to them.'),
  middleware: Middleware.prefault({}).describe('What holds on every route, unless the route says otherwise.'),
  retry: Retry.prefault({}).describe('When another upstream is tried.'),
  timeouts: Timeouts.prefault({}).describe('How long upstreams may take.'),
  headers: Headers.prefault({}).describe('The headers that are added, and those that are changed.'),
  routes: expecting(z.array(Route).min(1), 'a list of at least one route')
    .optional()
    .describe(
      'Which requests go to which pool. The most specific route wins: an exact host before a wildcard before none, then the longer path, then one with methods, then the first in the file. What no route matches gets 404. Left out: one route, `default`, takes everything.',
    ),
  jwt: Jwt.optional().describe(
    'Tokens of `auth_type: jwt`: those that Signalbox issues, and those of others.',
  ),
  accounts: Accounts.optional().describe(
    'How people make accounts and log in, at `/auth/*`; for `auth_type: jwt`.',
  ),
  database: Database.optional().describe('Where accounts and signing keys are kept, for `auth_type: jwt`.'),
  cluster: Cluster.optional().describe('The instances that agree with each other, and this one among them.'),
  upstream_connections: UpstreamConnections.prefault({}).describe('Connections to upstreams.'),
  dns: Dns.prefault({}).describe(
    'How host names of upstreams are resolved: again whenever their TTL is over, each address an endpoint.',
  ),
  limits: Limits.prefault({}).describe('The table that all rate limits share.'),
  health: Health.prefault({}).describe('The local answer at `/health`, which needs no authentication.'),
  admin: Admin.prefault({}).describe('The listener for operators.'),
  shutdown: Shutdown.prefault({}).describe('What happens on SIGTERM and SIGINT.'),
  metrics: Metrics.prefault({}).describe('Metrics in Prometheus format.'),
  telemetry: Telemetry.prefault({}).describe(
    'What is remembered of requests, and which are traced. Where traces go: see [telemetry](telemetry.md).',
  ),
  actors: Actors.prefault({}).describe('The state machines.'),
  log: Log.prefault({}).describe('Logs, on standard error.'),
  redis: z
    .unknown()
    .optional()
    .describe('Accepted from older configurations, with a warning; has no effect.'),
});

const WithPools = rule(Sections, PoolsView, checkPools);
const WithRoutes = rule(WithPools, RoutesView, checkRoutes);
const WithListeners = rule(WithRoutes, ListenersView, checkListeners);

const WithIdentities = rule(WithListeners, IdentitiesView, checkIdentities);

export const ConfigSchema = rule(WithIdentities, KeyNamesView, checkKeyNames);

/** A configuration as the schema leaves it: checked, and with its defaults. */
export type Config = z.output<typeof ConfigSchema>;
