/**
 * Which clients share a cell: the text that names a request's client under a limit.
 *
 * A request that lacks what the limit asks for is known by its IP address instead, never let through
 * unlimited. Each part says its kind and its length, so no value of one part, whatever its characters,
 * makes the text of another client: a header saying `10.0.0.1` is not the address 10.0.0.1.
 */

import type { Limit, Quota, RequestKey } from '../table.ts';
import { WeakLookup } from '../weak-lookup.ts';

/** What telling clients apart can ask of a request. */
export type RequestFacts = {
  readonly clientAddress: string;
  /** The same as `normaliseClientIp` returns it. */
  readonly clientIp: string;
  readonly user: string | null;
  readonly apiKeyDigest: string | null;
  readonly routeName: string;
  readonly path: string;
  /** The value of a header, by lower-case name. */
  header(name: string): string | null;
};

/**
 * The text to look a request's cell up by. It holds header values whole, since two long ones may differ
 * in their last character; what bounds it is `server.headBytesMax`.
 */
export function clientKey(limit: Limit, facts: RequestFacts): string {
  let text = names.get(limit) ?? names.add(limit, part('limit', limit.name));
  for (const key of limit.key) text += requestKey(key, facts);
  return text;
}

/** What the keys of each limit begin with. */
const names = new WeakLookup<Limit, string>();

/** The quota that holds for a request: that of the first tier that names its user or header value. */
export function chooseQuota(limit: Limit, facts: RequestFacts): Quota {
  for (const tier of limit.tiers) {
    const value = tier.match.kind === 'user' ? facts.user : facts.header(tier.match.name);
    if (value !== null && tier.values.includes(value)) return tier.quota;
  }
  return limit.quota;
}

/** One part of a client's key: what `key` asks for, else the IP address. */
export function requestKey(key: RequestKey, facts: RequestFacts): string {
  const value = factOf(key, facts);
  return value === null || value === '' ? part('client_ip', facts.clientIp) : part(key.kind, value);
}

function factOf(key: RequestKey, facts: RequestFacts): string | null {
  switch (key.kind) {
    case 'client_ip':
      return facts.clientIp;
    case 'user':
      return facts.user;
    case 'api_key':
      return facts.apiKeyDigest;
    case 'route':
      return facts.routeName;
    case 'path':
      return facts.path;
    case 'header':
      return facts.header(key.name);
  }
}

function part(kind: string, value: string): string {
  return `${kind} ${value.length}:${value}`;
}
