/** What is known of one request afterwards, or while it is under way. Times are those of `Clock.monotonicMs`. */
import { REFUSALS, type RefusalCause } from './refusals.ts';
import type { Auth } from './table.ts';
import type { TlsVersion } from './tls.ts';

export type RequestRecord = {
  /** 32 lower-case hex digits; the request's id. Requests of one trace share it. */
  readonly traceId: string;
  /** Null where the trace began with this request. */
  readonly parentSpanId: string | null;
  /** What other tracing systems sent along. */
  readonly tracestate: string | null;
  readonly isSampled: boolean;
  /** Whether spans are made of it: sampled, or kept for what became of it. */
  readonly isTraced: boolean;
  readonly worker: number;
  /** When the request's head had arrived. */
  readonly startMs: number;
  /** When the answer's head was about to be sent, by the request's machine; null before that, or without one. */
  readonly answerMs: number | null;
  /** Null while it is under way. */
  readonly endMs: number | null;
  /** `_OTHER` for one that is not among `METHODS`; empty where no request could be made out. */
  readonly method: string;
  readonly scheme: Scheme;
  readonly protocol: Protocol;
  /** Null where the client's connection was not encrypted. */
  readonly tlsVersion: TlsVersion | null;
  /** Path and query as received, of which only the beginning may be left. So with the texts that follow. */
  readonly target: string;
  readonly host: string;
  readonly clientAddress: string;
  readonly peerAddress: string;
  readonly userAgent: string;
  /** Empty where no route was looked for, or none found. */
  readonly route: string;
  /** How the client proved who it is; null where nobody asked, or it did not. */
  readonly auth: Auth['scheme'] | null;
  /** Equal for equal clients, and no secret; null without one. */
  readonly identity: string | null;
  readonly limit: LimitOutcome;
  /** What the client has left of its limit; null where there is none. */
  readonly limitRemaining: number | null;
  readonly states: readonly RecordedState[];
  readonly attempts: readonly RecordedAttempt[];
  /** Null while it is under way. */
  readonly outcome: RecordedOutcome | null;
  /** 0 when none was sent. */
  readonly status: number;
  /** Of the refusal, where Signalbox answered by itself. */
  readonly cause: RefusalCause | null;
  /** Of the request's body, as far as it was read. */
  readonly requestBytes: number;
  /** Of the answer's body, as far as it was sent. */
  readonly responseBytes: number;
};

/** A state of the request's machine. */
export type RecordedState = {
  /** Path from the machine's root: `seeking.limiting`. */
  readonly path: string;
  readonly enteredMs: number;
};

export type RecordedAttempt = {
  readonly pool: string;
  readonly upstream: string;
  readonly scheme: Scheme;
  readonly address: string;
  readonly port: number;
  /** 16 lower-case hex digits: the span that the upstream was told of. */
  readonly spanId: string;
  readonly startMs: number;
  /** When the head of its answer had arrived, or it had failed; null before that. */
  readonly endMs: number | null;
  /** 0 where no answer came. */
  readonly status: number;
  readonly error: AttemptError | null;
};

/** Why an attempt brought no answer; `client_left`: nobody waited for it any more. */
export type AttemptError = RefusalCause | 'client_left';

/** `lost`: the thread that served it ended. */
export const OUTCOMES = ['responded', 'refused', 'truncated', 'abandoned', 'crashed', 'lost'] as const;
export type RecordedOutcome = (typeof OUTCOMES)[number];

/** `none`: the route has no limit, or the request did not come so far. */
export const LIMIT_OUTCOMES = ['none', 'passed', 'limited'] as const;
export type LimitOutcome = (typeof LIMIT_OUTCOMES)[number];

export const PROTOCOLS = ['1.0', '1.1', '2'] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export type Scheme = 'http' | 'https';

export const AUTH_SCHEMES = [
  'bearer',
  'basic',
  'api_key',
  'jwt',
] as const satisfies readonly Auth['scheme'][];

export const CAUSES = Object.keys(REFUSALS) as readonly RefusalCause[];
export const ATTEMPT_ERRORS: readonly AttemptError[] = [...CAUSES, 'client_left'];
