import { lookup, Resolver } from 'node:dns/promises';
import { codeOf } from '#core/errors.ts';

/** What a name stands for, and for how long that may be believed. */
export type Resolution = {
  /** IP literals, at least one and at most ADDRESSES_MAX, in a fixed order. */
  readonly addresses: readonly string[];
  /** Between TTL_MS_MIN and TTL_MS_MAX. */
  readonly ttlMs: number;
};

/** Rejects with the resolver's error when the name has no address. */
export type Resolve = (name: string) => Promise<Resolution>;

/** Endpoints that one name may stand for; more are left out. */
export const ADDRESSES_MAX = 64;
/** A TTL of 0, which some servers of a cluster give, does not mean to ask without a pause. */
export const TTL_MS_MIN = 1_000;
export const TTL_MS_MAX = 300_000;
/** For what does not come from DNS, such as /etc/hosts. */
const TTL_MS_UNSAID = 30_000;
/** One try, of two. */
const QUERY_MS_MAX = 2_000;

/** As the programs of this machine resolve names, hosts file and search domains included; the TTL as DNS has it. */
export const resolveBySystem: Resolve = async (name) => {
  const [found, ttlMs] = await Promise.all([
    lookup(name, { all: true, order: 'verbatim' }),
    resolveByServers(new Resolver({ timeout: QUERY_MS_MAX, tries: 1 }))(name).then(
      (answer) => answer.ttlMs,
      () => TTL_MS_UNSAID,
    ),
  ]);
  return { addresses: inOrder(found.map(({ address }) => address)), ttlMs };
};

/** Asks these DNS servers, `address` or `address:port` each, and nothing else. */
export function resolveBy(servers: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: QUERY_MS_MAX, tries: 2 });
  resolver.setServers(servers);
  return resolveByServers(resolver);
}

function resolveByServers(resolver: Resolver): Resolve {
  return async (name) => {
    const answers = await Promise.allSettled([
      resolver.resolve4(name, { ttl: true }),
      resolver.resolve6(name, { ttl: true }),
    ]);
    const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
    for (const answer of answers) {
      // Half of an answer would make endpoints vanish that are there: only that there is none is an answer.
      if (answer.status === 'rejected' && (records.length === 0 || codeOf(answer.reason) !== 'ENODATA')) {
        throw answer.reason;
      }
    }
    const ttlMs = Math.min(...records.map(({ ttl }) => ttl)) * 1000;
    return {
      addresses: inOrder(records.map(({ address }) => address)),
      ttlMs: Math.min(TTL_MS_MAX, Math.max(TTL_MS_MIN, ttlMs)),
    };
  };
}

/** Servers turn their answers round from one to the next, which is no change. */
function inOrder(addresses: readonly string[]): string[] {
  return [...new Set(addresses)].toSorted().slice(0, ADDRESSES_MAX);
}
