import type { Exchange } from '#actors/request/exchange.ts';
import type { Identity } from '#actors/request/steps.ts';
import { headerValue } from '#core/headers.ts';
import { normaliseClientIp } from '#core/limits/client-ip.ts';
import type { RequestFacts } from '#core/limits/client-key.ts';

/** What limits and consistent hashing may tell clients apart by. */
export function requestFacts(
  { request, route }: Exchange,
  identity: Identity | null,
  ipv6PrefixBits: number,
): RequestFacts {
  return {
    // Most limits and hashes have something else to ask for, where there is a user.
    get clientIp() {
      return normaliseClientIp(request.clientAddress, ipv6PrefixBits);
    },
    // A static token has no user's name; whoever presents it is a user all the same.
    user: identity === null ? null : (identity.user ?? identity.key),
    apiKeyDigest: identity?.apiKeyDigest ?? null,
    routeName: route.name,
    path: request.path,
    header: (name) => headerValue(request.headers, name),
  };
}
