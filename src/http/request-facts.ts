import type { Exchange } from '#actors/request/exchange.ts';
import type { Identity } from '#actors/request/steps.ts';
import { fieldName } from '#core/field-names.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import type { RequestFacts } from '#core/limits/client-key.ts';

/** What limits and consistent hashing may tell clients apart by. */
export function requestFacts(
  exchange: Exchange,
  identity: Identity | null,
  ipv6PrefixBits: number,
): RequestFacts {
  return new Facts(exchange, identity, ipv6PrefixBits);
}

// A class, since a getter in an object literal is defined anew for each object, which takes a microsecond.
class Facts implements RequestFacts {
  readonly user: string | null;
  readonly apiKeyDigest: string | null;
  readonly routeName: string;
  readonly path: string;
  readonly #request: Exchange['request'];
  readonly #ipv6PrefixBits: number;

  constructor({ request, route }: Exchange, identity: Identity | null, ipv6PrefixBits: number) {
    // A static token has no user's name; whoever presents it is a user all the same.
    this.user = identity === null ? null : (identity.user ?? identity.key);
    this.apiKeyDigest = identity?.apiKeyDigest ?? null;
    this.routeName = route.name;
    this.path = request.path;
    this.#request = request;
    this.#ipv6PrefixBits = ipv6PrefixBits;
  }

  get clientAddress(): string {
    return this.#request.clientAddress;
  }

  // Most limits and hashes have something else to ask for, where there is a user.
  get clientIp(): string {
    return normaliseClientIp(this.#request.clientAddress, this.#ipv6PrefixBits);
  }

  header(name: string): string | null {
    return this.#request.headers.value(fieldName(name));
  }
}
