/** What the control plane and a worker say to each other. The shared memory goes with the start. */
import type { FlatHeaders } from './headers.ts';
import type { Keyring } from './jwt/keyring.ts';
import type { Revoked } from './jwt/revoked-sessions.ts';
import type { FailureKind } from './outcome.ts';
import type { Refusal } from './refusals.ts';
import type { WorkerSettings } from './settings.ts';
import type { Table } from './table.ts';
import type { TlsMaterial } from './tls.ts';

export type WorkerStart<Memory> = {
  /** From 0; the worker's own columns in shared memory. */
  readonly worker: number;
  readonly settings: WorkerSettings;
  readonly table: Table;
  readonly memory: Memory;
  readonly reusePort: boolean;
  readonly keyring: Keyring;
  readonly revoked: Revoked;
  /** Null where clients are spoken to without encryption. */
  readonly tls: TlsMaterial | null;
};

/** A request that only the control plane can answer, as the worker that received it passes it on. */
export type ControlQuestion = {
  /** HEAD is asked as GET. */
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: FlatHeaders;
  readonly body: Uint8Array;
  /** As limits know it. */
  readonly clientAddress: string;
  /** Trace id: 32 lower-case hex digits. */
  readonly requestId: string;
};

/** What the control plane has to say, or why it has nothing else to say. */
export type ControlAnswer = ControlPage | { readonly refusal: Refusal };

/** The worker adds the length, and what Signalbox says on every answer. */
export type ControlPage = {
  readonly status: number;
  readonly headers: FlatHeaders;
  readonly body: Uint8Array;
};

export type ToWorker =
  /** Serve new requests from this table. */
  | { readonly type: 'table'; readonly table: Table }
  /** Verify tokens by these keys; also answers `key.missed`, be there a new one or not. */
  | { readonly type: 'keyring'; readonly keyring: Keyring }
  /** Refuse the access tokens of these sessions, beside those that were told before. */
  | { readonly type: 'revoked'; readonly revoked: Revoked }
  /** Shake hands with this from now on. */
  | { readonly type: 'tls'; readonly material: TlsMaterial }
  /** Accept no more, finish what is under way, say `drained`. */
  | { readonly type: 'drain' }
  /** End every connection now. */
  | { readonly type: 'cut' }
  /** To the question of that id; null if the control plane failed over it. */
  | { readonly type: 'answer'; readonly id: number; readonly answer: ControlAnswer | null };

export type FromWorker =
  | { readonly type: 'listening' }
  /** `code` and `message` of the system's error. */
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | { readonly type: 'drained' }
  /** A mistake of ours; `untold` more have come since the last one that was told. */
  | { readonly type: 'problem'; readonly message: string; readonly stack: string; readonly untold: number }
  /** Something was thrown that nobody caught: the worker serves on, and has to be replaced. */
  | { readonly type: 'failed' }
  /** A token of this issuer names a key that is not in the keyring. */
  | { readonly type: 'key.missed'; readonly issuer: string }
  /** Attempts at the slot's upstream have failed, in a way that the control plane has to know of. */
  | { readonly type: 'upstream.failing'; readonly slot: number; readonly kind: FailureKind }
  /** `id` is unique in the worker. */
  | { readonly type: 'question'; readonly id: number; readonly question: ControlQuestion };
