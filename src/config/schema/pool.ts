import { z } from 'zod';
import { HeaderKey } from './header-names.ts';
import { HealthCheck } from './health-check.ts';
import { OutlierDetection } from './outlier-detection.ts';
import { Anything, expecting, rule } from './section.ts';
import { InFlightMax, nameOf, Upstream, UpstreamDefaults } from './upstream.ts';
import { integer, milliseconds } from './values.ts';

export const UPSTREAMS_PER_POOL_MAX = 1024;

/** Also without the section. */
export const QUEUE_DEFAULTS = { length_max: 256, timeout_ms: 2_000 } as const;

const Strategy = z.enum(['round_robin', 'random', 'least_conn', 'consistent_hash', 'p2c_ewma']);

const Queue = z.strictObject({
  length_max: integer(0, 65_536)
    .default(QUEUE_DEFAULTS.length_max)
    .describe('Requests that wait at once in each worker; those beyond get 503. `0`: none waits.'),
  timeout_ms: milliseconds(1)
    .default(QUEUE_DEFAULTS.timeout_ms)
    .describe('How long a request waits, until it gets 503.'),
});

const PoolSection = z.strictObject({
  strategy: Strategy.default('round_robin').describe(
    'How an upstream is chosen: in turn, by chance, the one with fewest requests in flight, by a hash of `hash_key`, or the faster of two drawn by chance. All of them heed weights.',
  ),
  hash_key: z
    .union([z.enum(['client_ip', 'user', 'path']), HeaderKey])
    .optional()
    .describe('What `consistent_hash` keeps on one upstream. Only with that strategy, and needed there.'),
  panic_threshold: integer(0, 100, 'percent')
    .default(50)
    .describe(
      'When fewer of the upstreams are up than this, requests go to those that are down as well; `0`: never.',
    ),
  slow_start_ms: milliseconds(0)
    .default(0)
    .describe(
      'How long an upstream that was down gets less than its share of the requests: a tenth at first, more with time.',
    ),
  health_check: HealthCheck.optional().describe(
    'How upstreams are probed. Left out: they are not, and are up until attempts fail.',
  ),
  outlier_detection: OutlierDetection.prefault({}).describe(
    'How many attempts may fail in a row, over all workers, before an upstream is out, and for how long.',
  ),
  in_flight_max: InFlightMax.optional().describe(
    'Requests that one upstream has in flight at most, from all workers of the instance together, upgraded connections included. Left out: any number.',
  ),
  queue: Queue.optional().describe(
    'Where requests wait while every upstream has `in_flight_max` of them. Only with that.',
  ),
  drain_ms: milliseconds(0)
    .default(30_000)
    .describe(
      'Once an upstream is drained, in maintenance or removed: how long what is under way with it may take before it is cut, WebSockets and streams included.',
    ),
  ...UpstreamDefaults,
  upstreams: expecting(
    z.array(Upstream).min(1).max(UPSTREAMS_PER_POOL_MAX),
    `a list of 1 to ${UPSTREAMS_PER_POOL_MAX} upstreams`,
  ).describe('The servers that requests are forwarded to.'),
});

const HashView = z.object({ strategy: Strategy, hash_key: Anything });

const WithHashKey = rule(PoolSection, HashView, ({ strategy, hash_key }, report) => {
  if (strategy === 'consistent_hash' && hash_key === undefined) {
    report(
      ['strategy'],
      '`consistent_hash` needs `hash_key`: what to keep on one upstream, such as `client_ip`',
    );
  }
  if (strategy !== 'consistent_hash' && hash_key !== undefined) {
    report(['hash_key'], 'works with `strategy: consistent_hash` only');
  }
});

const QueueView = z.object({
  in_flight_max: Anything,
  queue: Anything,
  upstreams: z.array(z.object({ in_flight_max: Anything })),
});

const WithQueue = rule(WithHashKey, QueueView, ({ in_flight_max, queue, upstreams }, report) => {
  if (in_flight_max !== undefined) return;
  if (queue !== undefined) report(['queue'], 'nothing waits without `in_flight_max`; give that as well');
  for (const [index, upstream] of upstreams.entries()) {
    if (upstream.in_flight_max === undefined) continue;
    report(['upstreams', index, 'in_flight_max'], 'give the pool one as well, for its other upstreams');
  }
});

const NamesView = z.object({ upstreams: z.array(z.unknown()) });

export const Pool = rule(WithQueue, NamesView, ({ upstreams }, report) => {
  const indexByName = new Map<string, number>();
  for (const [index, upstream] of upstreams.entries()) {
    const named = nameOf(upstream);
    if (named === null) continue;
    const first = indexByName.get(named.name);
    if (first === undefined) indexByName.set(named.name, index);
    else {
      const path = ['upstreams', index, ...(named.isGiven ? ['name'] : [])];
      report(path, `\`upstreams[${first}]\` has the same name; give one of them another`);
    }
  }
});
