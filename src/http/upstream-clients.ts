import { buildConnector, type Dispatcher, Pool } from 'undici';
import type { UpstreamConnectionSettings } from '#core/settings.ts';
import type { Table, Upstream } from '#core/table.ts';

/** Bytes of a response's head. */
const RESPONSE_HEAD_BYTES_MAX = 64 * 1024;

/** No hint of an upstream makes an idle connection live longer than this. */
const KEEP_ALIVE_HINT_MS_MAX = 600_000;

/**
 * A worker's connections to the upstreams: a pool for each address and way of connecting. Upstreams that
 * change only in name or weight keep their connections.
 */
export class UpstreamClients {
  readonly #settings: UpstreamConnectionSettings;
  readonly #clients = new Map<string, Dispatcher>();

  constructor(settings: UpstreamConnectionSettings) {
    this.#settings = settings;
  }

  /** The dispatcher for an upstream, made when it is first needed. */
  for(upstream: Upstream, connectMs: number): Dispatcher {
    const key = `${addressKey(upstream)} ${connectMs}`;
    const known = this.#clients.get(key);
    if (known !== undefined) return known;
    const client = this.#open(upstream, connectMs);
    this.#clients.set(key, client);
    return client;
  }

  /** Closes what the table does not name any more, each when its last request has ended. */
  retain(table: Table): void {
    const kept = new Set(Object.values(table.pools).flatMap((pool) => pool.upstreams.map(addressKey)));
    for (const [key, client] of this.#clients) {
      if (kept.has(key.slice(0, key.lastIndexOf(' ')))) continue;
      this.#clients.delete(key);
      void client.close();
    }
  }

  /** Ends every connection, whatever is still on it. */
  async destroy(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.destroy()));
  }

  #open(upstream: Upstream, connectMs: number): Dispatcher {
    return new Pool(origin(upstream), {
      connections: this.#settings.connectionsMax,
      pipelining: 1,
      keepAliveTimeout: this.#settings.keepAliveMs,
      keepAliveMaxTimeout: KEEP_ALIVE_HINT_MS_MAX,
      maxHeaderSize: RESPONSE_HEAD_BYTES_MAX,
      allowH2: false,
      connect: connector(upstream, connectMs),
    });
  }
}

/** The name for SNI never comes from the client's Host header, whatever is forwarded there. */
function connector(upstream: Upstream, connectMs: number): buildConnector.connector {
  const { tls } = upstream;
  if (tls === null) return buildConnector({ timeout: connectMs });
  const connect = buildConnector({
    timeout: connectMs,
    allowH2: false,
    rejectUnauthorized: tls.verify,
    ...(tls.ca === null ? {} : { ca: tls.ca }),
  });
  return (options, done) => connect({ ...options, servername: tls.serverName }, done);
}

function origin(upstream: Upstream): string {
  const host = upstream.address.includes(':') ? `[${upstream.address}]` : upstream.address;
  return `${upstream.tls === null ? 'http' : 'https'}://${host}:${upstream.port}`;
}

function addressKey(upstream: Upstream): string {
  return `${origin(upstream)} ${JSON.stringify(upstream.tls)}`;
}
