import { createRequire } from 'node:module';
import type { Dispatcher } from 'undici';
import { formatEndpoint } from '#core/endpoint.ts';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import type { Upstream } from '#core/table.ts';
import type { Transport } from './transport.ts';
import { letGo } from './transport-body.ts';
import { malformedRequest } from './transport-errors.ts';
import { UndiciFlight } from './undici-flight.ts';
import { connectorOf, type OpenUpstream } from './upstream-connector.ts';

type Undici = typeof import('undici');
type Pool = InstanceType<Undici['Pool']>;

/** No hint of an upstream makes an idle connection live longer than this. */
const KEEP_ALIVE_HINT_MS_MAX = 600_000;

// Only where a configuration asks for it: undici takes 25 MB in every worker, and 100 ms of its start.
const require = createRequire(import.meta.url);

/** A pool of undici's own clients, on connections of ours. */
export function openUndiciPool(
  upstream: Upstream,
  open: OpenUpstream,
  { connectionsMax, keepAliveMs, responseHeadBytesMax }: UpstreamConnectionSettings,
): Transport {
  const { Pool } = require('undici') as Undici;
  const pool = new Pool(originOf(upstream), {
    connections: connectionsMax,
    pipelining: 1,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: KEEP_ALIVE_HINT_MS_MAX,
    maxHeaderSize: responseHeadBytesMax,
    // Attempts have deadlines of their own: undici looks at its clock every half second only.
    headersTimeout: 0,
    bodyTimeout: 0,
    allowH2: false,
    connect: connectorOf(open),
  });
  const dispatcher = upstream.tls === null ? pool : underOneName(pool, upstream);
  return {
    dispatch(request, handler) {
      const { headers } = request;
      const flight = new UndiciFlight(handler);
      // What is no field is not in the list: the rest would be sent without it.
      if (headers.isSound) return dispatcher.dispatch({ ...request, headers: headers.flat() }, flight);
      letGo(request.body ?? null);
      handler.onResponseError(null, malformedRequest());
      return true;
    },
    close: () => dispatcher.close(),
    destroy: () => dispatcher.destroy(),
  };
}

/** undici would take the name from each request's Host, and connect anew for every other one. */
function underOneName(pool: Pool, { tls, address }: Upstream): Dispatcher {
  const servername = tls?.serverName || address;
  return pool.compose(
    (dispatch) => (options, handler) => dispatch(Object.assign({}, options, { servername }), handler),
  );
}

export function originOf(upstream: Upstream): string {
  return `${upstream.tls === null ? 'http' : 'https'}://${formatEndpoint(upstream)}`;
}
