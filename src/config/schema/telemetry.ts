import { z } from 'zod';
import { expecting } from './section.ts';
import { integer, milliseconds } from './values.ts';

const REQUESTS_KEPT_MAX = 100_000;

export const Telemetry = z.strictObject({
  requests_kept: integer(0, REQUESTS_KEPT_MAX)
    .default(1_000)
    .describe(
      'Finished requests that each worker remembers for `signalbox explain` and `/api/requests`, 2 kB each. `0`: none.',
    ),
  slow_ms: milliseconds(1)
    .default(1_000)
    .describe(
      'A request that is answered later than that is traced, whatever the sampler says; so are failed ones and those that took more than one attempt.',
    ),
  trust_incoming: z
    .enum(['never', 'trusted_proxies', 'always'])
    .default('trusted_proxies')
    .describe(
      "Whose `traceparent` is believed: nobody's, that of `server.trusted_proxies`, or everyone's. Others begin a new trace.",
    ),
  trace_url: expecting(
    z.string().refine((url) => URL.canParse(url) && url.includes('{trace_id}')),
    'a URL with `{trace_id}` in it, such as `http://localhost:16686/trace/{trace_id}`',
  )
    .optional()
    .describe('Where a trace is shown; `signalbox explain` links to it.'),
});
