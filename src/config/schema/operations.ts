/** The sections about running an instance. */

import { z } from 'zod';
import { LOG_LEVELS } from '#core/settings.ts';
import { parseTarget } from '#core/target.ts';
import { isLoopback, parseEndpoint } from '../hosts.ts';
import { Anything, expecting, rule, secret } from './section.ts';
import { integer, milliseconds, parsed, text } from './values.ts';

export const UpstreamConnections = z.strictObject({
  transport: z
    .enum(['h1', 'undici'])
    .default('h1')
    .describe(
      'What speaks HTTP/1.1 to upstreams: `h1`, which is part of Signalbox, or the library `undici`, which does the same in more time and forgives them more.',
    ),
  max: integer(1, 65_535).default(1024).describe('Connections that one worker opens to one upstream.'),
  keep_alive_ms: milliseconds(1)
    .default(4_000)
    .describe(
      'How long an idle connection is kept, unless the upstream asks for less; keep it below their own limit.',
    ),
  response_head_bytes_max: integer(1024, 16_777_216, 'bytes')
    .default(65_536)
    .describe("Size of an answer's status line and headers; the client of a longer one gets 502."),
  response_header_count_max: integer(1, 10_000)
    .default(1024)
    .describe(
      'Headers of an answer, counted by line; the client of one with more gets 502. With `undici`, only their size counts.',
    ),
});

export const Limits = z.strictObject({
  max_keys: integer(1024, 1_048_576)
    .default(65_536)
    .describe('Clients that rate limits remember at once, for each algorithm; memory is taken as they come.'),
  ipv6_prefix: integer(1, 128, 'bits')
    .default(64)
    .describe('Leading bits by which IPv6 clients are told apart: one customer usually has a whole /64.'),
});

export const Health = z.strictObject({
  body: expecting(z.string().min(1).max(65_536).refine(isJson), 'JSON text')
    .optional()
    .describe(
      'Body of the local `/health` answer. Default: `{"status":"healthy"}`; with `jwt`, `{"status":"ok","service":"signalbox"}`.',
    ),
});

function isJson(body: string): boolean {
  try {
    JSON.parse(body);
    return true;
  } catch {
    return false;
  }
}

const AdminSection = z.strictObject({
  listen: expecting(parsed(parseEndpoint), 'an address and a port, such as `127.0.0.1:9901` or `[::1]:9901`')
    .prefault('127.0.0.1:9901')
    .describe('Address and port of the admin API, metrics and probes.'),
  token: secret(z.string().regex(/^[!-~]{16,4096}$/), 'at least 16 visible ASCII characters')
    .optional()
    .describe('Bearer token that the admin API asks for. Needed where other machines can reach it.'),
});

const AdminView = z.object({ listen: z.object({ address: z.string() }), token: Anything });

export const Admin = rule(AdminSection, AdminView, ({ listen, token }, report) => {
  if (isLoopback(listen.address) || token !== undefined) return;
  report(['listen'], 'other machines can reach this address: give a `token`, or listen on 127.0.0.1');
});

export const Shutdown = z.strictObject({
  lame_duck_ms: milliseconds(0)
    .default(0)
    .describe('Time between turning unready and closing the listeners, for load balancers to notice.'),
  grace_ms: milliseconds(0).default(30_000).describe('Time for what is still in flight, until it is cut.'),
});

const MetricsSection = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether metrics are served.'),
  listener: z
    .enum(['admin', 'proxy'])
    .default('admin')
    .describe(
      'Where they are served: beside the admin API, or on the port of the traffic, without authentication.',
    ),
  endpoint: text(/^\/[!-"$->@-~]{0,255}$/, 'a path that starts with `/`, without query')
    .default('/metrics')
    .describe('Path of the metrics in Prometheus format.'),
});

/** Paths that each listener answers otherwise. */
const TAKEN = {
  admin: /^\/(?:livez|readyz|api|api\/.*)?$/,
  proxy: /^\/(?:health|auth\/.*|\.well-known\/jwks\.json)$/,
} as const;

const MetricsView = z.object({ listener: z.enum(['admin', 'proxy']), endpoint: z.string() });

export const Metrics = rule(MetricsSection, MetricsView, ({ listener, endpoint }, report) => {
  if (TAKEN[listener].test(endpoint))
    report(['endpoint'], `the ${listener} listener has another answer there`);
  if (parseTarget(endpoint)?.origin !== endpoint)
    report(
      ['endpoint'],
      'no request can have this path: it has a broken escape, or a dot segment or `//` to resolve',
    );
});

export const Actors = z.strictObject({
  runtime: z
    .enum(['compiled', 'xstate'])
    .default('compiled')
    .describe(
      "How the machine of a request is run: compiled, or by XState's own interpreter, which does the same and is slower by far.",
    ),
});

export const Log = z.strictObject({
  level: z
    .enum(LOG_LEVELS)
    .default('info')
    .describe('The least that is logged. `PUT /api/log-level` of the admin API changes it at run time.'),
  access: z
    .boolean()
    .default(false)
    .describe(
      'Whether there is a line for each request, on standard output. Lines are dropped, and counted, when nobody reads them fast enough.',
    ),
});
