import type { Exchange } from '#actors/request/exchange.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { Pool } from '#core/table.ts';

/** Ends the answer, and lets go of what the client may still be sending. */
export function finish({ body, reply }: Pick<Exchange, 'body' | 'reply'>, trailers?: FlatHeaders): void {
  body.discard();
  reply.end(trailers);
}

/** The pool that the request's route leads to. Throws if the table lacks it, which no table does. */
export function poolOf({ table, route }: Exchange): Pool {
  const pool = table.pools[route.pool];
  if (pool === undefined)
    throw new Error(`The route ${route.name} names the pool ${route.pool}, which the table lacks.`);
  return pool;
}
