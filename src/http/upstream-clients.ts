import { Pool } from 'undici';
import { type Clock, systemClock } from '#core/clock.ts';
import { formatEndpoint } from '#core/endpoint.ts';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import type { Table, Upstream } from '#core/table.ts';
import { H1Pool } from './h1-dispatcher/h1-pool.ts';
import type { Transport } from './transport.ts';
import { connectorOf, type OpenUpstream, upstreamOpener } from './upstream-connector.ts';

/** No hint of an upstream makes an idle connection live longer than this. */
const KEEP_ALIVE_HINT_MS_MAX = 600_000;

/** Hears of each connection: that it was opened and then that it was closed, or that it could not be. */
export type ConnectionWatch = {
  connectionOpened(upstream: Upstream): void;
  connectionClosed(upstream: Upstream): void;
  connectionFailed(upstream: Upstream): void;
};

/**
 * A worker's connections to the upstreams: a pool for each address and way of connecting. Upstreams that
 * change only in name or weight keep their connections.
 */
export class UpstreamClients {
  readonly #settings: UpstreamConnectionSettings;
  readonly #clock: Clock;
  readonly #watch: ConnectionWatch | null;
  readonly #clients = new Map<string, Transport>();
  /** The same by upstream and connect timeout: a key that holds certificates takes microseconds to build. */
  #found = new WeakMap<Upstream, Map<number, Transport>>();
  /** Those that no table names any more, until their last request has ended. */
  readonly #closing = new Set<Transport>();

  constructor(
    settings: UpstreamConnectionSettings,
    clock: Clock = systemClock,
    watch: ConnectionWatch | null = null,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#watch = watch;
  }

  /** The dispatcher for an upstream, made when it is first needed. */
  for(upstream: Upstream, connectMs: number): Transport {
    const found = this.#found.get(upstream)?.get(connectMs);
    if (found !== undefined) return found;
    const key = `${addressKey(upstream)} ${connectMs}`;
    const client = this.#clients.get(key) ?? this.#open(upstream, connectMs);
    this.#clients.set(key, client);
    const byTimeout = this.#found.get(upstream) ?? new Map<number, Transport>();
    this.#found.set(upstream, byTimeout.set(connectMs, client));
    return client;
  }

  /** Closes what the table does not name any more, each when its last request has ended. */
  retain(table: Table): void {
    const kept = new Set(Object.values(table.pools).flatMap((pool) => pool.upstreams.map(addressKey)));
    for (const [key, client] of this.#clients) {
      if (kept.has(key.slice(0, key.lastIndexOf(' ')))) continue;
      this.#clients.delete(key);
      this.#closing.add(client);
      void client.close().then(() => this.#closing.delete(client));
    }
    // A request that still has the old table must not find what is closed.
    this.#found = new WeakMap();
  }

  /** Ends every connection, whatever is still on it. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#clients.values(), ...this.#closing].map((client) => client.destroy()));
  }

  #open(upstream: Upstream, connectMs: number): Transport {
    const { transport, connectionsMax, keepAliveMs, responseHeadBytesMax } = this.#settings;
    const opener = upstreamOpener(upstream, connectMs, this.#clock);
    const open = this.#watch === null ? opener : watched(opener, upstream, this.#watch);
    if (transport === 'h1') return new H1Pool(open, this.#settings, this.#clock);
    const pool = new Pool(origin(upstream), {
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
    return upstream.tls === null ? pool : underOneName(pool, upstream);
  }
}

function watched(open: OpenUpstream, upstream: Upstream, watch: ConnectionWatch): OpenUpstream {
  return (onread, done) => {
    const socket = open(onread, (error) => {
      if (error === null) {
        watch.connectionOpened(upstream);
        socket.once('close', () => watch.connectionClosed(upstream));
      } else watch.connectionFailed(upstream);
      done(error);
    });
    return socket;
  };
}

/** undici would take the name from each request's Host, and connect anew for every other one. */
function underOneName(pool: Pool, { tls, address }: Upstream): Transport {
  const servername = tls?.serverName || address;
  return pool.compose(
    (dispatch) => (options, handler) => dispatch(Object.assign({}, options, { servername }), handler),
  );
}

function origin(upstream: Upstream): string {
  return `${upstream.tls === null ? 'http' : 'https'}://${formatEndpoint(upstream)}`;
}

function addressKey(upstream: Upstream): string {
  return `${origin(upstream)} ${JSON.stringify(upstream.tls)}`;
}
