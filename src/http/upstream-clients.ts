import { type Clock, systemClock } from '#core/clock.ts';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import type { Table, Upstream } from '#core/table.ts';
import { WeakLookup } from '#core/weak-lookup.ts';
import { H1Pool } from './h1-dispatcher/h1-pool.ts';
import { loadH2Client } from './h2-modules.ts';
import type { Transport } from './transport.ts';
import { openUndiciPool, originOf } from './undici-pool.ts';
import { type OpenUpstream, upstreamOpener } from './upstream-connector.ts';

/** Hears of each connection: that it was opened and then that it was closed, or that it could not be. */
export type ConnectionWatch = {
  connectionOpened(upstream: Upstream): void;
  connectionClosed(upstream: Upstream): void;
  connectionFailed(upstream: Upstream): void;
};

/** Of upstreams. */
const CLIENTS_AT_HAND = 64;

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
  #found = new WeakLookup<Upstream, Map<number, Transport>>(CLIENTS_AT_HAND);
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
    const known = this.#found.get(upstream, upstream.slot);
    const found = known?.get(connectMs);
    if (found !== undefined) return found;
    const key = `${addressKey(upstream)} ${connectMs}`;
    const client = this.#clients.get(key) ?? this.#open(upstream, connectMs);
    this.#clients.set(key, client);
    const byTimeout = known ?? this.#found.add(upstream, new Map());
    byTimeout.set(connectMs, client);
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
    this.#found = new WeakLookup(CLIENTS_AT_HAND);
  }

  /** Ends every connection, whatever is still on it. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#clients.values(), ...this.#closing].map((client) => client.destroy()));
  }

  #open(upstream: Upstream, connectMs: number): Transport {
    const opener = upstreamOpener(upstream, connectMs, this.#clock);
    const open = this.#watch === null ? opener : watched(opener, upstream, this.#watch);
    if (upstream.protocol === 'h2') {
      const { H2Pool } = loadH2Client();
      const scheme = upstream.tls === null ? 'http' : 'https';
      return new H2Pool({ open, scheme, connectMs, settings: this.#settings, clock: this.#clock });
    }
    return this.#settings.transport === 'h1'
      ? new H1Pool(open, this.#settings, this.#clock)
      : openUndiciPool(upstream, open, this.#settings);
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

function addressKey(upstream: Upstream): string {
  return `${originOf(upstream)} ${upstream.protocol} ${JSON.stringify(upstream.tls)}`;
}
