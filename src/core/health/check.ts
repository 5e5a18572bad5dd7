/** How a pool's upstreams are checked, and for how long they are ejected. */

export type HealthCheck = {
  readonly probe: Probe;
  /** Asked in place of the upstream's own port, or null. */
  readonly port: number | null;
  readonly pace: Pace;
  readonly thresholds: Thresholds;
  /** Whether an upstream that nobody has checked yet gets requests. */
  readonly isUpAtFirst: boolean;
};

export type Probe =
  /** A connection can be made, TLS included. */
  | { readonly kind: 'tcp' }
  | ({ readonly kind: 'http' } & HttpProbe)
  /** `grpc.health.v1.Health/Check`; '' asks for the whole server. */
  | { readonly kind: 'grpc'; readonly service: string };

export type HttpProbe = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  /** Beside those that every probe has, or in their place. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly expected: HttpExpectation;
};

export type HttpExpectation = {
  /** Inclusive ranges. */
  readonly statuses: readonly (readonly [first: number, last: number])[];
  /** What the body's beginning must contain, or null. */
  readonly text: string | null;
};

export type Pace = {
  /** From the start of one probe to that of the next. */
  readonly intervalMs: number;
  /** At most `intervalMs`. */
  readonly timeoutMs: number;
  /** 0…0.5: the share by which intervals are shortened at most, so that probes of many spread. */
  readonly jitter: number;
};

export type Thresholds = {
  /** Probes in a row that an upstream which is down has to pass. */
  readonly healthy: number;
  /** Probes in a row that one which is up has to fail. */
  readonly unhealthy: number;
};

/** What becomes of an upstream whose requests fail in a row, as in Envoy's outlier detection. */
export type Ejection = {
  /** The first time; each further one is longer by as much. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Share of a pool, 0…1, that may be ejected at once; one upstream always may. */
  readonly shareMax: number;
};
