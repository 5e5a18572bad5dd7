/**
 * Every metric by name, unit and attributes: OpenTelemetry's HTTP semantic conventions (1.x, stable) where
 * they have a name, `signalbox.` where they have none.
 *
 * A value of an attribute comes from the table or from a fixed list, never from a client. All series of a
 * metric have all of its attributes; one that does not apply is empty, which Prometheus takes as absent.
 */

export type Instrument = {
  readonly name: string;
  /** An up-down counter may be added up over instances; a gauge may not. */
  readonly kind: 'counter' | 'up_down_counter' | 'gauge' | 'histogram';
  /** UCUM; an annotation in braces says what is counted. */
  readonly unit: string;
  readonly description: string;
  /** Names of the labels of a series, in their order. */
  readonly attributes: readonly string[];
  /** Inclusive upper bounds of a histogram's buckets, ascending; none for other kinds. */
  readonly bounds: readonly number[];
};

/** The conventions' advice for durations of HTTP requests. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10] as const;

const METHOD = 'http.request.method';
const ROUTE = 'http.route';
const STATUS = 'http.response.status_code';
const SCHEME = 'url.scheme';
const ERROR = 'error.type';
const UPSTREAM = ['signalbox.pool', 'signalbox.upstream'] as const;

const ENDPOINT = ['server.address', 'server.port'] as const;
const THREAD = ['signalbox.thread'] as const;

/** What threads count in shared memory. */
export const WORKER_INSTRUMENTS = {
  requestDuration: {
    name: 'http.server.request.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Time from the arrival of a request to the end of its answer.',
    attributes: [METHOD, ROUTE, STATUS, SCHEME],
    bounds: SECONDS,
  },
  activeRequests: {
    name: 'http.server.active_requests',
    kind: 'up_down_counter',
    unit: '{request}',
    description: 'Requests that have arrived and are not yet answered.',
    attributes: [METHOD, SCHEME],
    bounds: [],
  },
  attemptDuration: {
    name: 'http.client.request.duration',
    kind: 'histogram',
    unit: 's',
    description: 'Time from the start of an attempt at an upstream to the head of its answer.',
    attributes: [METHOD, ...ENDPOINT, ...UPSTREAM, STATUS, ERROR],
    bounds: SECONDS,
  },
  attempts: {
    name: 'signalbox.attempts',
    kind: 'counter',
    unit: '{attempt}',
    description: 'Attempts begun, the first and every further one of a request.',
    attributes: UPSTREAM,
    bounds: [],
  },
  retries: {
    name: 'signalbox.retries',
    kind: 'counter',
    unit: '{attempt}',
    description:
      'Attempts begun that were not the first of their request, by the upstream they went to and by what the attempt before had ended with: a cause, or a status.',
    attributes: [...UPSTREAM, 'signalbox.cause'],
    bounds: [],
  },
  refusals: {
    name: 'signalbox.refusals',
    kind: 'counter',
    unit: '{refusal}',
    description: 'Answers that Signalbox made itself because it would not or could not forward.',
    attributes: ['signalbox.cause'],
    bounds: [],
  },
  shed: {
    name: 'signalbox.shed',
    kind: 'counter',
    unit: '{request}',
    description:
      'Requests turned away at the door, with `overloaded`, so that those under way are served: lag (the thread was late), or memory (as much is buffered as may be).',
    attributes: ['signalbox.reason'],
    bounds: [],
  },
  queueLength: {
    name: 'signalbox.queue.length',
    kind: 'up_down_counter',
    unit: '{request}',
    description: 'Requests that wait because every upstream of their pool has `in_flight_max` requests.',
    attributes: ['signalbox.pool'],
    bounds: [],
  },
  queueDuration: {
    name: 'signalbox.queue.duration',
    kind: 'histogram',
    unit: 's',
    description:
      'Time that requests waited for an upstream with room, by how it ended: passed, timed_out (503), or given_up (the client left, or a deadline passed).',
    attributes: ['signalbox.pool', 'signalbox.result'],
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
  },
  openConnections: {
    name: 'http.client.open_connections',
    kind: 'up_down_counter',
    unit: '{connection}',
    description: 'Open connections to upstreams, in use or idle.',
    attributes: ENDPOINT,
    bounds: [],
  },
  connections: {
    name: 'signalbox.upstream.connections',
    kind: 'counter',
    unit: '{connection}',
    description:
      'Connections to upstreams: opened, or failed to be. Attempts that did not open one used one again.',
    attributes: [...ENDPOINT, 'signalbox.result'],
    bounds: [],
  },
  handshakeFailures: {
    name: 'signalbox.tls.handshake_failures',
    kind: 'counter',
    unit: '{handshake}',
    description:
      'TLS handshakes with clients that came to nothing: client_certificate (none, or one that cannot be verified), nothing_in_common (no version or cipher of ours), refused_by_client (it does not take our certificate, or gave up with an alert), malformed (no TLS), left (it closed the connection), or timeout.',
    attributes: ['signalbox.cause'],
    bounds: [],
  },
  limitDecisions: {
    name: 'signalbox.limit.decisions',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that came to a limit, by its name: passed, or limited.',
    attributes: ['signalbox.limit', 'signalbox.decision'],
    bounds: [],
  },
  loopDelay: {
    name: 'signalbox.event_loop.delay',
    kind: 'histogram',
    unit: 's',
    description: 'How late a thread is with what is due; asked twenty times a second.',
    attributes: THREAD,
    bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
  },
  heapUsed: {
    name: 'signalbox.heap.used',
    kind: 'gauge',
    unit: 'By',
    description: "Used of a thread's own JavaScript heap.",
    attributes: THREAD,
    bounds: [],
  },
} as const satisfies Record<string, Instrument>;

export type WorkerInstrument = keyof typeof WORKER_INSTRUMENTS;

/** What the control plane finds out when it is asked. */
export const INSTANCE_INSTRUMENTS = {
  connections: {
    name: 'signalbox.connections',
    kind: 'up_down_counter',
    unit: '{connection}',
    description: 'Open connections from clients.',
    attributes: [],
    bounds: [],
  },
  buffered: {
    name: 'signalbox.buffered',
    kind: 'gauge',
    unit: 'By',
    description:
      'Bytes held for slow readers and for further attempts: request bodies that are kept, answers and upgraded connections whose reader is behind.',
    attributes: [],
    bounds: [],
  },
  upstreamInFlight: {
    name: 'signalbox.upstream.in_flight',
    kind: 'up_down_counter',
    unit: '{attempt}',
    description: 'Attempts at the upstream under way, from their start to the end of the answer.',
    attributes: UPSTREAM,
    bounds: [],
  },
  upstreamAvoided: {
    name: 'signalbox.upstream.avoided',
    kind: 'gauge',
    unit: '',
    description:
      "The upstream's endpoints that this instance avoids because it could not connect to them; most have one.",
    attributes: UPSTREAM,
    bounds: [],
  },
  upstreamUp: {
    name: 'signalbox.upstream.up',
    kind: 'gauge',
    unit: '',
    description:
      "The upstream's endpoints that may get requests by the verdict on their health; 0 while it is down.",
    attributes: UPSTREAM,
    bounds: [],
  },
  clusterInstances: {
    name: 'signalbox.cluster.instances',
    kind: 'gauge',
    unit: '',
    description:
      'Instances of the cluster that this one has heard of within the last seconds, itself included.',
    attributes: [],
    bounds: [],
  },
  clusterLink: {
    name: 'signalbox.cluster.link',
    kind: 'gauge',
    unit: '',
    description:
      '1, with the state of this instance towards its bus: connecting, synced, isolated or resyncing.',
    attributes: ['signalbox.state'],
    bounds: [],
  },
  heartbeats: {
    name: 'signalbox.cluster.heartbeats',
    kind: 'counter',
    unit: '{message}',
    description:
      'Heartbeats of other instances, and what came in place of them: heeded, replayed (nothing new), crowded (too many instances), or rejected (no heartbeat).',
    attributes: ['signalbox.result'],
    bounds: [],
  },
  limitDivisor: {
    name: 'signalbox.limit.divisor',
    kind: 'gauge',
    unit: '',
    description:
      'By what this instance divides the limits that instances share: 1 while they count together, their number while it is isolated.',
    attributes: [],
    bounds: [],
  },
  limitKeys: {
    name: 'signalbox.limit.keys',
    kind: 'gauge',
    unit: '{key}',
    description: 'Clients, or what else limits count by, of which this instance holds a count now.',
    attributes: [],
    bounds: [],
  },
  limitRejected: {
    name: 'signalbox.limit.rejected',
    kind: 'counter',
    unit: '{message}',
    description: 'Messages about what clients used that could not be read, and so changed nothing.',
    attributes: [],
    bounds: [],
  },
  certificateExpiry: {
    name: 'signalbox.tls.certificate.expiry',
    kind: 'gauge',
    unit: 's',
    description: 'Time until a certificate of this instance expires, by its file; below 0 when it has.',
    attributes: ['signalbox.certificate'],
    bounds: [],
  },
  registryRevision: {
    name: 'signalbox.registry.revision',
    kind: 'gauge',
    unit: '',
    description:
      "Of the registry's latest change that this instance serves; 0 while it serves from its file.",
    attributes: [],
    bounds: [],
  },
  registryWatchAge: {
    name: 'signalbox.registry.watch.age',
    kind: 'gauge',
    unit: 's',
    description: 'Time since this instance was last certain to know every change of the registry.',
    attributes: [],
    bounds: [],
  },
  registryRejected: {
    name: 'signalbox.registry.rejected',
    kind: 'counter',
    unit: '{value}',
    description: 'Values of the registry that could not be read, and so changed nothing.',
    attributes: [],
    bounds: [],
  },
  configReloads: {
    name: 'signalbox.config.reloads',
    kind: 'counter',
    unit: '{reload}',
    description: 'Times that the configuration file was read again: applied, or refused for its mistakes.',
    attributes: ['signalbox.result'],
    bounds: [],
  },
  configRefused: {
    name: 'signalbox.config.last_reload.refused',
    kind: 'gauge',
    unit: '',
    description: '1 while the latest reload was refused, and the instance serves by what was there before.',
    attributes: [],
    bounds: [],
  },
  configTime: {
    name: 'signalbox.config.in_effect.time',
    kind: 'gauge',
    unit: 's',
    description:
      'Unix time at which the configuration that is in effect was put into effect, with the checksum of its file.',
    attributes: ['signalbox.checksum'],
    bounds: [],
  },
  requestsInState: {
    name: 'signalbox.requests.in_state',
    kind: 'up_down_counter',
    unit: '{request}',
    description: 'Requests under way by the state of their machine.',
    attributes: ['signalbox.state'],
    bounds: [],
  },
  requestsLost: {
    name: 'signalbox.requests.lost',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests that were under way in a worker when it crashed: they have no outcome.',
    attributes: [],
    bounds: [],
  },
  recordsLost: {
    name: 'signalbox.records.lost',
    kind: 'counter',
    unit: '{record}',
    description:
      'Finished requests that were to be traced or logged, and came faster than they were fetched.',
    attributes: [],
    bounds: [],
  },
  requestsUnrecorded: {
    name: 'signalbox.requests.unrecorded',
    kind: 'counter',
    unit: '{request}',
    description: 'Requests without a record, because too many were under way at once.',
    attributes: [],
    bounds: [],
  },
  spans: {
    name: 'signalbox.spans',
    kind: 'counter',
    unit: '{span}',
    description: 'Spans: sent, failed (the collector did not take them), or dropped (there was no room).',
    attributes: ['signalbox.result'],
    bounds: [],
  },
  accessLogDropped: {
    name: 'signalbox.access_log.dropped',
    kind: 'counter',
    unit: '{line}',
    description: 'Lines of the access log that nobody read fast enough.',
    attributes: [],
    bounds: [],
  },
  processMemory: {
    name: 'process.memory.usage',
    kind: 'up_down_counter',
    unit: 'By',
    description: 'Physical memory of the process.',
    attributes: [],
    bounds: [],
  },
  processCpu: {
    name: 'process.cpu.time',
    kind: 'counter',
    unit: 's',
    description: 'CPU time of the process, all of its threads together.',
    attributes: ['cpu.mode'],
    bounds: [],
  },
  buildInfo: {
    name: 'signalbox.build.info',
    kind: 'gauge',
    unit: '',
    description: 'Always 1; says what is running.',
    attributes: ['version', 'node_version'],
    bounds: [],
  },
} as const satisfies Record<string, Instrument>;

/** On the series that stands for all those that a metric had no room for (OpenTelemetry's metrics SDK). */
export const OVERFLOW_ATTRIBUTE = 'otel.metric.overflow';
