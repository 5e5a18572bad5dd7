/** What the request machine asks of the world, and what it is told. */
import type { IdentityClaims } from '#core/jwt/claims.ts';
import type { PlainCause, Refusal } from '#core/refusals.ts';
import type { Upstream } from '#core/table.ts';
import type { Step } from '../step.ts';
import type { Answer } from './answer.ts';
import type { Exchange } from './exchange.ts';

/** Who the client turned out to be. */
export type Identity = {
  /** Equal for equal clients, and no secret: limits and traces use it. */
  readonly key: string;
  readonly user: string | null;
  /** SHA-256 of the presented key or token, lower-case hex. */
  readonly apiKeyDigest: string | null;
  /** What the upstream is told, where a token said it. */
  readonly claims?: IdentityClaims;
};

export type AttemptFailure = {
  readonly upstream: string;
  readonly cause: PlainCause;
  /** Whether any byte of the request may have reached the upstream. */
  readonly written: boolean;
};

/** How far the last attempt has come: what it ended with, once it has. */
export type LastAttempt =
  /** There was none yet. */
  | { readonly kind: 'none' }
  /** It waits for a connection, and nothing was written. */
  | { readonly kind: 'queued' }
  /** Some of the request may have been written. */
  | { readonly kind: 'started' }
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'failed'; readonly failure: AttemptFailure };

/**
 * Whether the attempt has cost its upstream no work worth mentioning: nothing was sent, or the connection was
 * closed before there was an answer, as by a process that was killed. Trying elsewhere then multiplies no load.
 */
export function costNothing(last: LastAttempt): boolean {
  return last.kind === 'failed' && (!last.failure.written || last.failure.cause === 'upstream_closed');
}

/** What only the world knows when the machine asks whether a request may fail over. */
export type FailoverFacts = {
  /** Every byte of the body that was read so far is still there to be sent again. */
  readonly replayable: boolean;
  /** The retry budget has room. */
  readonly affordable: boolean;
  /** An admitted upstream is left that this request has not tried. */
  readonly another: boolean;
};

export type Proven = { readonly type: 'identity.proven'; readonly identity: Identity | null };
export type Refused = { readonly type: 'request.refused'; readonly refusal: Refusal };
export type Received = { readonly type: 'body.received' };
export type Passed = { readonly type: 'limit.passed' };
export type Selected = { readonly type: 'upstream.selected'; readonly upstream: Upstream };
export type Exhausted = { readonly type: 'upstreams.exhausted' };
/** The attempt waits for a connection. One that says nothing like that is written at once. */
export type Queued = { readonly type: 'attempt.queued' };
/** The attempt that was queued has its connection, and the request is about to be written. */
export type Started = { readonly type: 'attempt.started' };
export type Answered = {
  readonly type: 'attempt.answered';
  readonly status: number;
  readonly answer: Answer;
};
export type Failed = { readonly type: 'attempt.failed'; readonly failure: AttemptFailure };
export type Weighed = { readonly type: 'failover.weighed'; readonly facts: FailoverFacts };
export type Finished = { readonly type: 'response.finished' };
export type Broken = { readonly type: 'response.broken' };
export type Left = { readonly type: 'client.left' };

export type RequestEvent =
  | Proven
  | Refused
  | Passed
  | Received
  | Selected
  | Exhausted
  | Queued
  | Started
  | Answered
  | Failed
  | Weighed
  | Finished
  | Broken
  | Left;

/** The steps of a request. The machine reads an exchange's plan, and else only passes things on. */
export type RequestSteps = {
  readonly authenticate: Step<{ exchange: Exchange }, Proven | Refused>;
  readonly limit: Step<{ exchange: Exchange; identity: Identity | null }, Passed | Refused>;
  readonly receive: Step<{ exchange: Exchange }, Received | Refused>;
  readonly select: Step<SelectInput, Selected | Exhausted | Refused>;
  readonly forward: Step<ForwardInput, Queued | Started | Answered | Failed>;
  readonly weigh: Step<{ exchange: Exchange; tried: readonly Upstream[] }, Weighed>;
  readonly respond: Step<{ exchange: Exchange; answer: Answer }, Finished | Broken>;
  readonly refuse: Step<{ exchange: Exchange; refusal: Refusal }, Finished | Broken>;
};

export type SelectInput = {
  readonly exchange: Exchange;
  readonly identity: Identity | null;
  readonly tried: readonly Upstream[];
  /** The step lets go of its answer, if it has one and another upstream is selected. */
  readonly last: LastAttempt;
};

export type ForwardInput = {
  readonly exchange: Exchange;
  readonly identity: Identity | null;
  readonly upstream: Upstream;
};
