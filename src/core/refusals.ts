/**
 * The one table of refusals: cause → what the client is told. A refusal is an answer that Signalbox
 * makes itself; its cause is stable, named in metrics and traces, and never says more than the client
 * may know. Proxy-Status error types are those of RFC 9209 §2.3.
 */

export type RefusalCause = keyof typeof REFUSALS_BY_CAUSE;

/** A cause, and what of its answer the table does not know. */
export type Refusal = {
  /** In place of the table's own, where a client is told what exactly is wrong. Quotes nothing it sent. */
  readonly detail?: string;
} & (
  | { readonly cause: PlainCause }
  /** Value of WWW-Authenticate, which every 401 has (RFC 9110 §11.6.1). */
  | { readonly cause: CauseOf<401>; readonly challenge: string }
  /** Value of Allow, which every 405 has (RFC 9110 §15.5.6). */
  | { readonly cause: CauseOf<405>; readonly allow: string }
  /** Whole seconds, at least 1; sent as Retry-After. */
  | { readonly cause: CauseOf<429>; readonly retryAfterSeconds: number }
);

/** A cause of which the table knows the whole answer. */
export type PlainCause = Exclude<RefusalCause, CauseOf<401 | 405 | 429>>;

type CauseOf<Status> = {
  [Cause in RefusalCause]: (typeof REFUSALS_BY_CAUSE)[Cause]['status'] extends Status ? Cause : never;
}[RefusalCause];

type Answer = {
  readonly status: number;
  readonly title: string;
  /** For clients that read `error` instead of problem details. */
  readonly error: string;
  readonly detail: string;
  /** RFC 9209 error type, where the upstream side caused the refusal. */
  readonly proxyStatus?: string;
  /** Whole seconds; sent as Retry-After where waiting helps (RFC 9110 §10.2.3). */
  readonly retryAfterSeconds?: number;
};

const REFUSALS_BY_CAUSE = {
  malformed_request: {
    status: 400,
    title: 'Bad Request',
    error: 'Bad request',
    detail: 'The request is not valid HTTP.',
  },
  proxy_header_malformed: {
    status: 400,
    title: 'Bad Request',
    error: 'Bad PROXY header',
    detail: 'Connections to this port have to begin with a header of the PROXY protocol.',
  },
  ambiguous_credentials: {
    status: 400,
    title: 'Bad Request',
    error: 'Ambiguous credentials',
    detail: 'Send exactly one set of credentials.',
  },
  malformed_json: {
    status: 400,
    title: 'Bad Request',
    error: 'Malformed JSON',
    detail: 'The body has to be one JSON object, in UTF-8, that names nothing twice.',
  },
  input_invalid: {
    status: 400,
    title: 'Bad Request',
    error: 'Invalid input',
    detail: 'The body is JSON, but not what is expected here.',
  },
  credentials_missing: {
    status: 401,
    title: 'Unauthorized',
    error: 'Authentication required',
    detail: 'This route needs credentials.',
  },
  credentials_invalid: {
    status: 401,
    title: 'Unauthorized',
    error: 'Invalid credentials',
    detail: 'The credentials were not accepted.',
  },
  login_failed: {
    status: 401,
    title: 'Unauthorized',
    error: 'Invalid email or password',
    detail: 'There is no active account with this email and this password.',
  },
  session_ended: {
    status: 401,
    title: 'Unauthorized',
    error: 'Invalid refresh token',
    detail: 'The refresh token was not accepted; log in again.',
  },
  password_wrong: {
    status: 403,
    title: 'Forbidden',
    error: 'Wrong password',
    detail: 'The current password is another one; nothing was changed.',
  },
  access_denied: {
    status: 403,
    title: 'Forbidden',
    error: 'Forbidden',
    detail: 'Requests from this address are not accepted here.',
  },
  no_route: {
    status: 404,
    title: 'Not Found',
    error: 'Not found',
    detail: 'No route matches this host, path and method.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method Not Allowed',
    error: 'Method not allowed',
    detail: 'Nothing is done here by this method; Allow names those that work.',
  },
  request_timeout: {
    status: 408,
    title: 'Request Timeout',
    error: 'Request timeout',
    detail: 'The request did not arrive in time.',
  },
  email_taken: {
    status: 409,
    title: 'Conflict',
    error: 'Email already registered',
    detail: 'There is an account with this email.',
  },
  body_too_large: {
    status: 413,
    title: 'Content Too Large',
    error: 'Request body too large',
    detail: 'The body is longer than what is accepted here.',
  },
  target_too_long: {
    status: 414,
    title: 'URI Too Long',
    error: 'URI too long',
    detail: 'The request target exceeds the limit.',
  },
  body_not_json: {
    status: 415,
    title: 'Unsupported Media Type',
    error: 'Unsupported media type',
    detail: 'Send application/json, not encoded otherwise.',
  },
  head_too_large: {
    status: 431,
    title: 'Request Header Fields Too Large',
    error: 'Request headers too large',
    detail: 'The request line and headers exceed the limit.',
  },
  rate_limited: {
    status: 429,
    title: 'Too Many Requests',
    error: 'Rate limit exceeded',
    detail: 'The request limit for this client is used up; try again later.',
  },
  login_throttled: {
    status: 429,
    title: 'Too Many Requests',
    error: 'Too many attempts',
    detail: 'There were too many attempts; nothing was checked. Try again later.',
  },
  internal: {
    status: 500,
    title: 'Internal Server Error',
    error: 'Internal error',
    detail: 'Signalbox failed to handle this request.',
    proxyStatus: 'proxy_internal_error',
  },
  method_not_supported: {
    status: 501,
    title: 'Not Implemented',
    error: 'Method not supported',
    detail: 'This proxy does not forward this method.',
  },
  upstream_closed: {
    status: 502,
    title: 'Bad Gateway',
    error: 'Bad gateway',
    detail: 'The upstream closed the connection before it answered.',
    proxyStatus: 'connection_terminated',
  },
  upstream_protocol_error: {
    status: 502,
    title: 'Bad Gateway',
    error: 'Bad gateway',
    detail: 'The upstream did not answer with valid HTTP.',
    proxyStatus: 'http_protocol_error',
  },
  upgrade_unsupported: {
    status: 502,
    title: 'Bad Gateway',
    error: 'Upgrade not supported',
    detail: 'The upstream of this route speaks HTTP/2, in which no protocol can be switched to.',
    proxyStatus: 'http_upgrade_failed',
  },
  upstream_tls_error: {
    status: 502,
    title: 'Bad Gateway',
    error: 'Bad gateway',
    detail: 'No secure connection to the upstream could be set up.',
    proxyStatus: 'tls_protocol_error',
  },
  connection_limit: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Too many connections',
    detail: 'This proxy serves as many connections as it may; try again later.',
    proxyStatus: 'connection_limit_reached',
    retryAfterSeconds: 1,
  },
  client_connection_limit: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Too many connections',
    detail: 'This client has as many connections as it may; close some, or use them again.',
    proxyStatus: 'connection_limit_reached',
    retryAfterSeconds: 1,
  },
  overloaded: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Service unavailable',
    detail: 'This proxy has more to do than it can; try again later.',
    retryAfterSeconds: 1,
  },
  queue_full: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Service unavailable',
    detail:
      'The upstreams of this route serve as many requests as they may, and as many wait; try again later.',
    proxyStatus: 'connection_limit_reached',
    retryAfterSeconds: 1,
  },
  queue_timeout: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Service unavailable',
    detail: 'No upstream of this route had room for the request in time; try again later.',
    proxyStatus: 'connection_limit_reached',
    retryAfterSeconds: 1,
  },
  accounts_unavailable: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Service unavailable',
    detail: 'Accounts cannot be reached at the moment; try again later.',
    retryAfterSeconds: 2,
  },
  upstream_unreachable: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Service unavailable',
    detail: 'No connection to an upstream could be made.',
    proxyStatus: 'connection_refused',
    retryAfterSeconds: 1,
  },
  no_upstream: {
    status: 503,
    title: 'Service Unavailable',
    error: 'Service unavailable',
    detail: 'No upstream is available for this route.',
    proxyStatus: 'destination_unavailable',
    retryAfterSeconds: 1,
  },
  connect_timeout: {
    status: 504,
    title: 'Gateway Timeout',
    error: 'Gateway timeout',
    detail: 'Connecting to the upstream took too long.',
    proxyStatus: 'connection_timeout',
  },
  upstream_timeout: {
    status: 504,
    title: 'Gateway Timeout',
    error: 'Gateway timeout',
    detail: 'The upstream took too long to answer.',
    proxyStatus: 'http_response_timeout',
  },
  loop_detected: {
    status: 508,
    title: 'Loop Detected',
    error: 'Proxy loop',
    detail: 'The request has passed through this proxy several times before.',
    proxyStatus: 'proxy_loop_detected',
  },
} as const satisfies Record<string, Answer>;

export const REFUSALS: Readonly<Record<RefusalCause, Answer>> = REFUSALS_BY_CAUSE;
