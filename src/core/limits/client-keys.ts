import { HashedText } from '../hash.ts';
import { ownText } from '../own-text.ts';
import { RecentMap } from '../recent-map.ts';
import type { Limit } from '../table.ts';
import { WeakLookup } from '../weak-lookup.ts';
import { clientKey, type RequestFacts } from './client-key.ts';

/** Clients of one limit in one generation, of which two are kept. With the length below, 5 MB a limit at most. */
export const CLIENTS_REMEMBERED_MAX = 2048;
/** Characters of a user, a key's digest or an address that is remembered. */
export const CLIENT_LENGTH_MAX = 128;

/** By what they are known: as the limit asks, or by their address for want of that. */
type Known = { readonly asAsked: RecentMap<HashedText>; readonly byAddress: RecentMap<HashedText> };

/**
 * The clients of limits, each by its key (see `clientKey`). Those that are told apart by one thing that they have for
 * long, as a user or an address, are remembered: to make and hash the key takes more than all the rest of limiting.
 */
export class ClientKeys {
  readonly #known = new WeakLookup<Limit, Known>();

  of(limit: Limit, facts: RequestFacts): HashedText {
    const [asked] = limit.key;
    if (asked === undefined || limit.key.length > 1) return keyOf(limit, facts);
    switch (asked.kind) {
      case 'client_ip':
        return this.#remembered(limit, facts, null);
      case 'user':
        return this.#remembered(limit, facts, facts.user);
      case 'api_key':
        return this.#remembered(limit, facts, facts.apiKeyDigest);
      default:
        return keyOf(limit, facts);
    }
  }

  #remembered(limit: Limit, facts: RequestFacts, asked: string | null): HashedText {
    const known = this.#known.get(limit) ?? this.#known.add(limit, nobody());
    const isAsked = asked !== null && asked !== '';
    const clients = isAsked ? known.asAsked : known.byAddress;
    const name = isAsked ? asked : facts.clientAddress;
    const client = clients.get(name);
    if (client !== undefined) return client;
    const key = keyOf(limit, facts);
    if (name.length <= CLIENT_LENGTH_MAX) clients.set(ownText(name), key);
    return key;
  }
}

function keyOf(limit: Limit, facts: RequestFacts): HashedText {
  return new HashedText(clientKey(limit, facts));
}

function nobody(): Known {
  return {
    asAsked: new RecentMap(CLIENTS_REMEMBERED_MAX),
    byAddress: new RecentMap(CLIENTS_REMEMBERED_MAX),
  };
}
