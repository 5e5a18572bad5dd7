import type { Route } from './table.ts';
import { WeakLookup } from './weak-lookup.ts';

export type RouteQuery = {
  readonly method: string;
  /** Normalised path. */
  readonly path: string;
  /** Host as the client named it, with or without port. */
  readonly host: string;
};

/** The first route, in the table's order of precedence, that matches. */
export function matchRoute(routes: readonly Route[], query: RouteQuery): Route | null {
  const index = indexes.get(routes) ?? indexes.add(routes, new RouteIndex(routes));
  return index.find(query);
}

/** A table is replaced as a whole, and its index goes with it. */
const indexes = new WeakLookup<readonly Route[], RouteIndex>();

type Entry = { readonly route: Route; readonly rank: number };

/** The routes of one path prefix, those of each host in the order of precedence. */
type Hosts = {
  readonly prefix: string;
  readonly any: Entry[];
  readonly named: Map<string, Entry[]>;
  /** By what stands behind the asterisk: `.example.com`. */
  readonly below: Map<string, Entry[]>;
};

const SLASH = 0x2f;

/** Of the hash FNV-1a, here of characters. */
const FNV_PRIME = 0x01000193;
const FNV_START = 0x811c9dc5;

/**
 * Routes by prefix and host: a request costs a look-up for each of its path's first segments and its host's last
 * labels, as far as the configuration has such long ones, and not one for each route. Prefixes are looked up by a number
 * that grows with the path: to cut one out, for V8 to hash, takes 800 instructions in place of 60.
 */
class RouteIndex {
  /** By their hashes. */
  readonly #prefixes = new Map<number, Hosts[]>();
  #prefixLengthMax = 0;
  #parentLengthMax = 0;

  constructor(routes: readonly Route[]) {
    for (const [rank, route] of routes.entries()) this.#add({ route, rank });
  }

  find(query: RouteQuery): Route | null {
    const { path } = query;
    const lengthMax = this.#prefixLengthMax;
    let found: Entry | null = null;
    let hash = FNV_START;
    // Whole segments only: `/api` is no prefix of `/apix`, and `/api/` none of `/api`.
    for (let at = 0; at < path.length; at++) {
      if (at > lengthMax) return found?.route ?? null;
      const code = path.charCodeAt(at);
      if (code === SLASH && at > 0) found = this.#better(found, hash, at, query);
      hash = hashWith(hash, code);
      if (code === SLASH) found = this.#better(found, hash, at + 1, query);
    }
    return this.#better(found, hash, path.length, query)?.route ?? null;
  }

  #add(entry: Entry): void {
    const { pathPrefix, host } = entry.route.match;
    const hosts = this.#hostsOf(pathPrefix);
    this.#prefixLengthMax = Math.max(this.#prefixLengthMax, pathPrefix.length);
    if (host === null) hosts.any.push(entry);
    else if (!host.startsWith('*.')) addTo(hosts.named, host, entry);
    else {
      const parent = host.slice(1);
      addTo(hosts.below, parent, entry);
      this.#parentLengthMax = Math.max(this.#parentLengthMax, parent.length);
    }
  }

  #hostsOf(prefix: string): Hosts {
    let hash = FNV_START;
    for (let at = 0; at < prefix.length; at++) hash = hashWith(hash, prefix.charCodeAt(at));
    const alike = this.#prefixes.get(hash) ?? [];
    const known = alike.find((hosts) => hosts.prefix === prefix);
    if (known !== undefined) return known;
    const made: Hosts = { prefix, any: [], named: new Map(), below: new Map() };
    this.#prefixes.set(hash, [...alike, made]);
    return made;
  }

  /** The first that matches among the routes of the prefix of this hash and length, if it comes before `found`. */
  #better(found: Entry | null, hash: number, length: number, query: RouteQuery): Entry | null {
    const alike = this.#prefixes.get(hash);
    if (alike === undefined) return found;
    const prefix = query.path.slice(0, length);
    for (const hosts of alike) if (hosts.prefix === prefix) return this.#betterOf(hosts, found, query);
    return found;
  }

  #betterOf(hosts: Hosts, found: Entry | null, { method, host }: RouteQuery): Entry | null {
    let best = firstOf(hosts.any, method, found);
    if (hosts.named.size === 0 && hosts.below.size === 0) return best;
    const name = hostName(host);
    best = firstOf(hosts.named.get(name), method, best);
    // At least one label before the parent.
    const from = Math.max(1, name.length - this.#parentLengthMax);
    for (let dot = name.indexOf('.', from); dot !== -1; dot = name.indexOf('.', dot + 1)) {
      best = firstOf(hosts.below.get(name.slice(dot)), method, best);
    }
    return best;
  }
}

function hashWith(hash: number, code: number): number {
  return Math.imul(hash ^ code, FNV_PRIME);
}

function addTo(lists: Map<string, Entry[]>, key: string, entry: Entry): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}

function firstOf(entries: readonly Entry[] | undefined, method: string, before: Entry | null): Entry | null {
  if (entries === undefined) return before;
  for (const entry of entries) {
    if (before !== null && entry.rank > before.rank) return before;
    const { methods } = entry.route.match;
    if (methods === null || methods.includes(method)) return entry;
  }
  return before;
}

/** Lower case, without port and without the root's trailing dot. */
function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.lastIndexOf(':');
  const name = (end > 0 ? host.slice(0, end) : host).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
