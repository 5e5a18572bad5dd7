import type { AccountSettings, DatabaseSettings, JwtSettings } from './account-settings.ts';
import type { TlsVersion } from './tls.ts';
import type { Sampler } from './trace/sampler.ts';

/**
 * What an instance is started with and keeps until it ends, issuers of tokens and the level of the log apart; what
 * may change later is in the table.
 */
export type Settings = {
  readonly instance: InstanceSettings;
  /** How to reach the other instances of the cluster; null: there are none. */
  readonly bus: BusSettings | null;
  readonly server: ServerSettings;
  readonly admin: AdminSettings;
  readonly limits: LimitSettings;
  readonly upstreamConnections: UpstreamConnectionSettings;
  /** Of host names of upstreams; none: as the system resolves names. */
  readonly dnsServers: readonly string[];
  readonly shutdown: ShutdownSettings;
  readonly metrics: MetricsSettings;
  readonly actors: ActorSettings;
  readonly log: LogSettings;
  readonly telemetry: TelemetrySettings;
  /** Null where traces are sent nowhere. */
  readonly traces: TraceSettings | null;
  /** Null where no route asks for tokens. */
  readonly jwt: JwtSettings | null;
  /** How people register and log in, where tokens are issued. */
  readonly accounts: AccountSettings;
  /** Where accounts and signing keys are kept, if there are any. */
  readonly database: DatabaseSettings;
};

/** What workers get to know: no secrets of the control plane. */
export type WorkerSettings = Pick<
  Settings,
  'server' | 'limits' | 'upstreamConnections' | 'metrics' | 'actors' | 'log' | 'telemetry'
>;

/** For an instance that runs `workers` of them. */
export function workerSettings(settings: Settings, workers: number): WorkerSettings {
  const { server, limits, upstreamConnections, metrics, actors, log, telemetry } = settings;
  return { server: { ...server, workers }, limits, upstreamConnections, metrics, actors, log, telemetry };
}

export type InstanceSettings = {
  /** No two instances of a cluster have the same. At most 64 letters, digits, `-` and `_`. */
  readonly id: string;
  /** The instances that agree with each other have the same. At most 64 letters, digits and `-`. */
  readonly cluster: string;
  /** Instances that probe each upstream, if there are as many. */
  readonly observers: number;
};

/** How an instance reaches the NATS of its cluster. */
export type BusSettings = {
  /** At least one; tried in random order. */
  readonly servers: readonly BusServer[];
  /** Of every subject and bucket: clusters that share a server have different ones. */
  readonly prefix: string;
  /** Shown in the server's monitoring. */
  readonly clientName: string;
  readonly auth: BusAuth;
  /** Null: encrypted only if the server wants it, verified by the system's roots. */
  readonly tls: BusTls | null;
};

export type BusServer = {
  /** Host name or IP literal, without brackets. */
  readonly host: string;
  readonly port: number;
};

export type BusAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  | { readonly kind: 'token'; readonly token: string }
  /** A file as `nsc generate creds` makes it, read again for each connection. */
  | { readonly kind: 'creds'; readonly file: string };

/** PEM files, read again for each connection; null for what is not needed. */
export type BusTls = {
  /** Replaces the system's roots. */
  readonly caFile: string | null;
  readonly certFile: string | null;
  readonly keyFile: string | null;
};

export type ServerSettings = {
  readonly address: string;
  readonly port: number;
  /** Worker threads, at least 1. */
  readonly workers: number;
  /** Client connections of the whole instance; beyond it, 503 and close. */
  readonly maxConnections: number;
  /** Of one client, told apart as limits do; trusted proxies may have any number. Beyond it, 503 and close. */
  readonly connectionsPerClientMax: number;
  readonly overload: OverloadSettings;
  /** Of the whole instance: request bodies that are kept, and what slow readers have not read. */
  readonly bufferedBytesMax: number;
  /** CIDR blocks or addresses whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  /** Whether connections begin with a PROXY protocol header; then they come from trusted proxies only. */
  readonly proxyProtocol: boolean;
  /** How long an idle client connection is kept. */
  readonly keepAliveMs: number;
  /** Time for a request's head to arrive. */
  readonly headMs: number;
  /** Bytes of request line and headers. */
  readonly headBytesMax: number;
  /** Headers of one request. */
  readonly headerCountMax: number;
  /** Bytes of a request target. */
  readonly targetBytesMax: number;
  /** For so long a client may send or read nothing before it is too slow. */
  readonly rateWindowMs: number;
  /** After that many a connection ends with its answer. */
  readonly requestsPerConnectionMax: number;
  /** Null: clients are spoken to without encryption. */
  readonly tls: ServerTlsSettings | null;
};

/** When new requests are turned away, so that those under way are served. */
export type OverloadSettings = {
  /** How late a worker's event loop may be before it turns some away; 0: ever so late. */
  readonly lagMs: number;
};

/** TLS with clients. The files themselves are the control plane's business: see TlsMaterial. */
export type ServerTlsSettings = {
  /** Null: the server's port is the one that speaks TLS, and there is no other. */
  readonly port: number | null;
  /** At least one; the first is the default. */
  readonly certificates: readonly CertificateFiles[];
  readonly minVersion: TlsVersion;
  /** Requests under way at once on one connection of HTTP/2; 0: that is not spoken. */
  readonly http2StreamsMax: number;
  /** Null: clients are asked for no certificate. */
  readonly clientCertificates: { readonly isRequired: boolean; readonly caFile: string } | null;
};

/** Absolute paths of PEM files. */
export type CertificateFiles = { readonly certFile: string; readonly keyFile: string };

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
  /** What speaks HTTP/1.1 to upstreams: our own client, or undici. */
  readonly transport: 'h1' | 'undici';
  /** Connections that one worker opens to one upstream. */
  readonly connectionsMax: number;
  /** How long an idle upstream connection is kept, unless the upstream asks for less. */
  readonly keepAliveMs: number;
  /** Bytes of an answer's status line and headers. */
  readonly responseHeadBytesMax: number;
  /** Headers of one answer. */
  readonly responseHeaderCountMax: number;
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

export type ActorSettings = {
  /** What runs the request machine: it compiled, or XState's own interpreter. */
  readonly runtime: 'compiled' | 'xstate';
};

export type LogSettings = {
  readonly level: LogLevel;
  /** Whether there is a line for each request. */
  readonly access: boolean;
};

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What is remembered of requests, and which of them are traced. */
export type TelemetrySettings = {
  /** Finished requests that each worker remembers. */
  readonly requestsKept: number;
  /** A request that is answered later than that is traced, whatever the sampler says. */
  readonly slowMs: number;
  /** Whose traces go on here. */
  readonly trustIncoming: 'never' | 'trusted_proxies' | 'always';
  /** Null where traces are sent nowhere. */
  readonly sampler: Sampler | null;
  /** Where a trace is shown, with `{trace_id}` in place of its id; null for nowhere. */
  readonly traceUrl: string | null;
  /** What is said of this instance: OpenTelemetry's resource attributes, with a `service.name`. */
  readonly resource: Readonly<Record<string, string>>;
};

/** How traces are sent to a collector: OTLP over HTTP, in protobuf. */
export type TraceSettings = {
  readonly url: string;
  /** May hold credentials: never to be shown. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one batch of spans, tries of it included. */
  readonly timeoutMs: number;
  /** How long a span waits for others to be sent with. */
  readonly delayMs: number;
  /** Spans that wait at once; more are dropped. */
  readonly queueMax: number;
  /** Spans of one message. */
  readonly batchMax: number;
};
