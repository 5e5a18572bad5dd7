/** What an instance is started with and keeps until it ends; what may change later is in the table. */
export type Settings = {
  readonly server: ServerSettings;
  readonly admin: AdminSettings;
  readonly limits: LimitSettings;
  readonly upstreamConnections: UpstreamConnectionSettings;
  readonly shutdown: ShutdownSettings;
  readonly metrics: MetricsSettings;
  readonly log: LogSettings;
};

export type ServerSettings = {
  readonly address: string;
  readonly port: number;
  /** Worker threads, at least 1. */
  readonly workers: number;
  /** Client connections of the whole instance; beyond it, 503 and close. */
  readonly maxConnections: number;
  /** CIDR blocks or addresses whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** How long an idle client connection is kept. */
  readonly keepAliveMs: number;
  /** Time for a request's head to arrive. */
  readonly headMs: number;
  /** Bytes of request line and headers. */
  readonly headBytesMax: number;
};

export type AdminSettings = {
  readonly address: string;
  readonly port: number;
  /** Bearer token that the admin API asks for; null on loopback only. */
  readonly token: string | null;
};

export type LimitSettings = {
  /** Cells of the shared limit table: clients remembered at once, for each algorithm. */
  readonly keysMax: number;
  /** IPv6 clients are told apart by this many leading bits of their address. */
  readonly ipv6PrefixBits: number;
};

export type UpstreamConnectionSettings = {
  /** Connections that one worker opens to one upstream. */
  readonly connectionsMax: number;
  /** How long an idle upstream connection is kept, unless the upstream asks for less. */
  readonly keepAliveMs: number;
};

export type ShutdownSettings = {
  /** Between turning unready and closing the listeners. */
  readonly lameDuckMs: number;
  /** Until what is still in flight is cut. */
  readonly graceMs: number;
};

export type MetricsSettings = {
  readonly enabled: boolean;
  readonly listener: 'admin' | 'proxy';
  readonly endpoint: string;
};

export type LogSettings = { readonly level: 'debug' | 'info' | 'warn' | 'error' };
