/**
 * The table: the immutable snapshot that workers serve from. The control plane builds it from the
 * configuration and the registry, numbers it, and sends it to every worker as a message, so it holds
 * nothing but plain data. A request keeps the table it was admitted with until it ends.
 */
import type { Ejection, HealthCheck } from './health/check.ts';

export type Table = {
  readonly revision: number;
  /** In order of precedence: the first route that matches wins. */
  readonly routes: readonly Route[];
  readonly pools: Readonly<Record<string, Pool>>;
  readonly headers: HeaderNames;
  /** For what Signalbox answers itself, `/health` apart. */
  readonly localDoor: Door;
  /** Body of the local `/health` answer, JSON. */
  readonly healthBody: string;
};

// -- upstreams ---------------------------------------------------------------------------------------

export type Upstream = {
  readonly name: string;
  readonly pool: string;
  /** Host name or IP literal, without brackets. */
  readonly address: string;
  /** The name that the address was resolved from, where the upstream was given by one. */
  readonly hostName?: string;
  readonly port: number;
  /** 1…256, relative to the other upstreams of the pool. */
  readonly weight: number;
  /** Row in the shared upstream cells; unique in the table, kept by an upstream for its life. */
  readonly slot: number;
  readonly tls: UpstreamTls | null;
  readonly protocol: UpstreamProtocol;
  /** The Host header sent: the client's own, the upstream's `address:port`, or a fixed text. */
  readonly host:
    | { readonly kind: 'client' | 'upstream' }
    | { readonly kind: 'fixed'; readonly value: string };
  /** In place of its pool's, where that has one; null: the pool's holds. */
  readonly inFlightMax: number | null;
  readonly state: UpstreamState;
  /** Once it is not ready any more, until what is still under way with it is cut; milliseconds. */
  readonly drainMs: number;
};

/** `h2` is negotiated over TLS (ALPN), and without TLS begun at once, with prior knowledge (RFC 9113 §3). */
export type UpstreamProtocol = 'http/1.1' | 'h2';

/** What an operator says of an upstream. Only one that is `ready` gets new requests; `drain` is still probed. */
export type UpstreamState = 'ready' | 'drain' | 'maintenance';

export type UpstreamTls = {
  /** Name for SNI and for the certificate check. */
  readonly serverName: string;
  /** PEM certificates that replace the system's roots, or null for those. */
  readonly ca: string | null;
  readonly verify: boolean;
};

export type Pool = {
  readonly name: string;
  readonly strategy: StrategyChoice;
  readonly upstreams: readonly Upstream[];
  /**
   * When less than this fraction of the ready upstreams are up, verdicts are ignored, 0…1; 0 for never: then a
   * pool of which none is up refuses everything.
   */
  readonly panicThreshold: number;
  /** How long an upstream that has recovered takes a smaller share, milliseconds; 0 for not at all. */
  readonly slowStartMs: number;
  /** Of upstreams that say nothing else. */
  readonly drainMs: number;
  /** Null: there is no bound, and nobody waits. */
  readonly inFlight: InFlightBound | null;
  readonly outliers: OutlierLimits;
  readonly ejection: Ejection;
  /** Null: upstreams are not probed, and up until requests fail. */
  readonly healthCheck: HealthCheck | null;
  /** Row of the pool's shared cursor. */
  readonly slot: number;
};

/** How many attempts one upstream has at once, and what becomes of requests while all have as many. */
export type InFlightBound = {
  /** Over all workers of an instance; at least 1. */
  readonly max: number;
  /** Of one worker. */
  readonly queue: {
    /** Requests that wait at once; beyond, they are refused. */
    readonly lengthMax: number;
    readonly timeoutMs: number;
  };
};

/**
 * After how many attempts in a row that failed the control plane is told, as in Envoy's outlier detection; 0 for
 * never.
 */
export type OutlierLimits = {
  /** Answers from 500 to 599, and no answer at all. */
  readonly consecutive5xx: number;
  /** Answers 502, 503 and 504, and no answer at all. */
  readonly consecutiveGatewayFailures: number;
};

export type StrategyChoice =
  | { readonly kind: 'round_robin' | 'random' | 'least_conn' | 'p2c_ewma' }
  | { readonly kind: 'consistent_hash'; readonly key: RequestKey };

/** A property of a request that tells clients apart. */
export type RequestKey =
  | { readonly kind: 'client_ip' | 'user' | 'api_key' | 'route' | 'path' }
  | { readonly kind: 'header' /** lower case */; readonly name: string };

// -- routes ------------------------------------------------------------------------------------------

export type Route = Door & {
  readonly name: string;
  readonly match: RouteMatch;
  readonly pool: string;
  readonly auth: Auth | null;
  readonly limit: Limit | null;
  readonly retry: Retry;
  readonly timeouts: Timeouts;
  /** Of a request's body; null: any number. */
  readonly bodyBytesMax: number | null;
  /** Bytes a second that clients have to send of a body, and to read of an answer; 0: any. */
  readonly bodyRateMin: number;
  readonly responseRateMin: number;
  readonly requestHeaders: HeaderRules;
  readonly responseHeaders: HeaderRules;
};

export type RouteMatch = {
  /** Lower case, without port; `*.example.com` matches one or more labels; null matches every host. */
  readonly host: string | null;
  /** Whole path segments: `/api` matches `/api` and `/api/x`, not `/apix`. */
  readonly pathPrefix: string;
  /** Upper case; null matches every method. */
  readonly methods: readonly string[] | null;
};

/** Applied in the order remove, set, add. Names are lower case in `remove`, as written elsewhere. */
export type HeaderRules = {
  readonly remove: readonly string[];
  readonly set: readonly (readonly [name: string, value: RuleValue])[];
  readonly add: readonly (readonly [name: string, value: RuleValue])[];
};

/** A text, or the parts of one that differs from request to request. */
export type RuleValue = string | readonly (string | { readonly variable: RuleVariable })[];

export type RuleVariable =
  | 'client_ip'
  | 'host'
  | 'request_id'
  | 'route'
  | 'upstream'
  | 'tls.version'
  | 'tls.client_subject'
  | 'tls.client_san'
  | 'tls.client_fingerprint';

/** What is looked at before anything else. */
export type Door = {
  readonly access: Access | null;
  readonly cors: Cors | null;
};

/** Addresses and CIDR blocks, IPv4 and IPv6. */
export type Access = {
  /** Empty: everyone. */
  readonly allow: readonly string[];
  /** Turned away, be they allowed or not. */
  readonly deny: readonly string[];
};

/** Which other origins' scripts may use what is here (Fetch standard, CORS protocol). */
export type Cors = {
  readonly origins: '*' | readonly string[];
  /** Lists as headers have them; empty: none. */
  readonly methods: string;
  readonly headers: string;
  readonly exposedHeaders: string;
  readonly hasCredentials: boolean;
  readonly maxAgeSeconds: number;
};

/** What a route asks for before it lets a request through. */
export type Auth = {
  readonly realm: string;
  /** Whether the upstream gets to see the credentials. */
  readonly forwardCredentials: boolean;
} & (
  | { readonly scheme: 'jwt' }
  | (TokenList & { readonly scheme: 'bearer' })
  | (TokenList & {
      readonly scheme: 'basic';
      /** User name → argon2id hash in PHC format. */
      readonly users: Readonly<Record<string, string>>;
    })
  | (TokenList & {
      readonly scheme: 'api_key';
      /** Carries the key; lower case. */
      readonly header: string;
    })
);

export type TokenList = {
  /** SHA-256 of every accepted token, lower-case hex: the table holds no token. */
  readonly tokenDigests: readonly string[];
};

export type Limit = {
  /** Names the policy in `RateLimit-Policy`; unique in the table, part of every cell's key. */
  readonly name: string;
  readonly key: readonly RequestKey[];
  readonly quota: Quota;
  readonly tiers: readonly LimitTier[];
  /** Whether the instances of a cluster count together, or each for itself. */
  readonly isShared: boolean;
};

/** The quotas that instances count together. */
export function sharedQuotas({ routes }: Table): readonly Quota[] {
  const limits = routes.flatMap(({ limit }) => (limit?.isShared ? [limit] : []));
  return limits.flatMap(({ quota, tiers }) => [quota, ...tiers.map((tier) => tier.quota)]);
}

/** The first tier that matches replaces the limit's quota. */
export type LimitTier = {
  readonly match: { readonly kind: 'user' } | { readonly kind: 'header'; readonly name: string };
  readonly values: readonly string[];
  readonly quota: Quota;
};

export type Quota =
  | {
      readonly kind: 'gcra';
      /** Sustained requests per `windowMs`; at least 1. */
      readonly requests: number;
      readonly windowMs: number;
      /** Requests that may come at once; at least 1. */
      readonly burst: number;
    }
  | {
      readonly kind: 'sliding_window';
      /** At most this many in any span of `windowMs`. */
      readonly requests: number;
      readonly windowMs: number;
    };

export type Retry = {
  /** Tries of one request in all, the first included; 1 means no failover. */
  readonly attempts: number;
  /** Statuses that count as a failed attempt. */
  readonly onStatus: readonly number[];
  /** Opts in to replaying methods that are not idempotent after something was written. */
  readonly nonIdempotent: boolean;
  /** Request body kept for a replay, bytes; a longer one is streamed and cannot be replayed. */
  readonly bodyBufferBytes: number;
};

/** All in milliseconds. */
export type Timeouts = {
  /** TCP and TLS set-up with the upstream. */
  readonly connectMs: number;
  /** From the request's last byte to the response's head. */
  readonly firstByteMs: number;
  /** Between two reads or writes of a body, or of a tunnel. */
  readonly idleMs: number;
  /** One attempt, up to the response's head. */
  readonly attemptMs: number;
  /** All attempts together, up to the response's head. */
  readonly requestMs: number;
};

// -- headers that Signalbox adds ---------------------------------------------------------------------

/** Header names as sent; null turns the header off. */
export type HeaderNames = {
  readonly requestId: string | null;
  readonly responseTime: string | null;
  readonly proxyBy: { readonly name: string; readonly value: string } | null;
  readonly backend: string | null;
  /** Pseudonym in `Via` and `Proxy-Status`. */
  readonly via: string | null;
  /** Whether RFC 7239 `Forwarded` is sent beside `X-Forwarded-*`. */
  readonly forwarded: boolean;
  /** Whether the upstream's `Server` reaches the client. */
  readonly passServer: boolean;
  readonly identity: IdentityHeaderNames;
};

/** To upstreams only: who a verified token says the client is. What clients send under these never passes. */
export type IdentityHeaderNames = {
  readonly userId: string | null;
  readonly userEmail: string | null;
  /** Who says so: user ids of two issuers may be equal. */
  readonly userIssuer: string | null;
};
