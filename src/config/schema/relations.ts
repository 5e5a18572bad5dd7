/** Rules between sections. Each reads what it needs of an input that may be wrong elsewhere. */

import { z } from 'zod';
import { POOL_SLOTS_MAX, UPSTREAM_SLOTS_MAX } from '#shared/upstream-cells.ts';
import { isWildcard } from '../hosts.ts';
import { didYouMean } from '../suggest.ts';
import { routeName } from './route.ts';
import { Anything, type Report } from './section.ts';

const Pools = z.record(z.string(), z.unknown()).default({});

export const PoolsView = z.object({ load_balancing: Anything, pools: Pools });

const UpstreamsView = z.object({ upstreams: z.array(z.unknown()) });

export function checkPools({ load_balancing, pools }: z.output<typeof PoolsView>, report: Report): void {
  const all = load_balancing === undefined ? pools : { ...pools, default: load_balancing };
  if (Object.keys(all).length === 0) report([], '`load_balancing` is missing: it lists the `upstreams`');
  if (Object.hasOwn(pools, 'default')) {
    report(['pools', 'default'], 'the pool `default` is the section `load_balancing`; choose another name');
  }
  if (Object.keys(all).length > POOL_SLOTS_MAX) {
    report(['pools'], `found ${Object.keys(all).length} pools, expected at most ${POOL_SLOTS_MAX}`);
  }
  let upstreams = 0;
  for (const pool of Object.values(all))
    upstreams += UpstreamsView.safeParse(pool).data?.upstreams.length ?? 0;
  if (upstreams > UPSTREAM_SLOTS_MAX) {
    report([], `found ${upstreams} upstreams in all pools, expected at most ${UPSTREAM_SLOTS_MAX}`);
  }
}

export const RoutesView = z.object({
  load_balancing: Anything,
  pools: Pools,
  routes: z.array(z.unknown()).optional(),
});

const TargetView = z.object({ pool: z.string() });
const NameView = z.object({ name: z.string().optional() });
const MatchView = z.object({
  host: z.string().optional(),
  path_prefix: z.string(),
  methods: z.array(z.string()).optional(),
});

export function checkRoutes(config: z.output<typeof RoutesView>, report: Report): void {
  const pools = Object.keys(config.pools);
  if (config.load_balancing !== undefined) pools.push('default');
  if (config.routes === undefined && pools.length > 0 && !pools.includes('default')) {
    report([], '`routes` is missing: without it, everything goes to `load_balancing`, which is missing, too');
  }
  const names = new Map<string, number>();
  const matches = new Map<string, number>();
  for (const [index, route] of (config.routes ?? []).entries()) {
    const target = TargetView.safeParse(route).data?.pool;
    if (target !== undefined && !pools.includes(target)) {
      report(['routes', index, 'pool'], `there is no such pool${didYouMean(target, pools)}`);
    }
    const named = NameView.safeParse(route);
    const sameName = named.success ? claim(names, routeName(named.data, index), index) : index;
    if (sameName !== index) report(['routes', index], `\`routes[${sameName}]\` has the same name`);

    const match = MatchView.safeParse(route);
    const sameMatch = match.success ? claim(matches, matchKey(match.data), index) : index;
    if (sameMatch !== index) {
      report(
        ['routes', index],
        `\`routes[${sameMatch}]\` has the same host, path and methods, so this one never matches`,
      );
    }
  }
}

/** The index that claimed `key` first. */
function claim(indexByKey: Map<string, number>, key: string, index: number): number {
  const first = indexByKey.get(key) ?? index;
  indexByKey.set(key, first);
  return first;
}

function matchKey({ host, path_prefix, methods }: z.output<typeof MatchView>): string {
  return JSON.stringify([host?.toLowerCase(), path_prefix, [...new Set(methods)].sort()]);
}

export const ListenersView = z.object({
  server: z.object({
    listen_address: z.string(),
    listen_port: z.number(),
    tls: z.object({ listen_port: z.number().optional() }).optional(),
  }),
  admin: z.object({ listen: z.object({ address: z.string(), port: z.number() }) }),
});

export function checkListeners({ server, admin }: z.output<typeof ListenersView>, report: Report): void {
  const tlsPort = server.tls?.listen_port;
  if (tlsPort === server.listen_port) {
    report(
      ['server', 'tls', 'listen_port'],
      '`server.listen_port` is the same port; leave this one out to speak nothing but TLS there',
    );
  }
  const addresses = [admin.listen.address, server.listen_address];
  if (!addresses.some(isWildcard) && addresses[0] !== addresses[1]) return;
  const same = '`admin.listen` has the same port; give each listener its own';
  if (admin.listen.port === server.listen_port) report(['server', 'listen_port'], same);
  else if (admin.listen.port === tlsPort) report(['server', 'tls', 'listen_port'], same);
}
