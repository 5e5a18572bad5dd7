/**
 * The bus: what instances of a cluster tell each other, and the state that they agree on.
 *
 * Messages are events: delivered at most once, to whoever listens at that moment, each publisher's in the
 * order in which it published them; a publisher hears itself. Buckets are state: keys with values, where
 * every write has a revision and may be conditional on the one that it replaces. Both are bytes here, which
 * nobody changes after they were handed over; `messages.ts` gives them a type.
 *
 * Nothing here throws because the bus is away, but for what has to answer: those reject with a `BusError`.
 * What listens is called without anything awaited, and may throw: that is counted and logged, no more.
 */

/** Bytes of one message or one value; a quarter of what a NATS server takes unless it is told otherwise. */
export const MESSAGE_BYTES_MAX = 256 * 1024;
/** Published and not yet taken by the bus; what would exceed it is dropped. */
export const PENDING_BYTES_MAX = 4 * 1024 * 1024;
/** Counted against that for each message, beside its bytes. */
export const MESSAGE_OVERHEAD_BYTES = 64;
/** Of one instance: more of these than the program could mean to have is a leak, and refused. */
export const SUBSCRIPTIONS_MAX = 256;
export const BUCKETS_MAX = 32;
export const WATCHES_MAX = 64;
/** Requests, answers and bucket operations of one instance under way at once, each kind by itself. */
export const OPERATIONS_MAX = 256;

/**
 * `connecting` until it is known whether there is a bus; `synced` while messages pass and every watch has
 * the latest content; `isolated` otherwise.
 */
export type BusState = 'connecting' | 'synced' | 'isolated';

export interface Bus extends AsyncDisposable {
  readonly state: BusState;
  onState(listener: (state: BusState) => void): Disposable;
  readonly counts: Readonly<BusCounts>;

  /**
   * Says at once what became of the message, and never throws for it. Nothing is kept to be sent later. With a
   * `traceparent` (W3C Trace Context), whoever receives it can go on with the trace.
   */
  publish(subject: string, data: Uint8Array, traceparent?: string | null): Published;

  /** Calls `listener` for messages whose subject matches `pattern`, from now on, over all reconnections. */
  subscribe(pattern: string, listener: (message: Message) => void): Subscription;

  /** The first answer; rejects when nobody listens, or none came within `deadlineMs`. */
  request(subject: string, data: Uint8Array, deadlineMs: number, signal: AbortSignal): Promise<Uint8Array>;

  /** Answers requests; if `answer` throws or rejects, the asker gets no answer. */
  respond(pattern: string, answer: (message: Message) => Uint8Array | Promise<Uint8Array>): Subscription;

  /** The same bucket for the same name, whose first options count. It is created when first used. */
  bucket(name: string, options: BucketOptions): Bucket;
}

export type Message = {
  readonly subject: string;
  readonly data: Uint8Array;
  /** As it was sent: whoever uses it has to read it strictly. Null for none. */
  readonly traceparent: string | null;
};

/** Ends when disposed of. */
export type Subscription = Disposable;

/** `isolated`: no connection; `backlog`: PENDING_BYTES_MAX reached; `too_large`: over MESSAGE_BYTES_MAX. */
export type Published = 'sent' | 'isolated' | 'backlog' | 'too_large';

export type BucketOptions = {
  /** Entries older than this vanish without a word; null keeps them. At least 100 ms. */
  readonly entryMsMax: number | null;
  /**
   * Keys and values together, with what the bus adds (on NATS about 100 bytes an entry); a write beyond it is
   * refused. Replacing and deleting take a little room, too.
   */
  readonly bytesMax: number;
};

export type Entry = {
  readonly key: string;
  /** Empty where a stranger wrote more than MESSAGE_BYTES_MAX: something is there, and nobody can read it. */
  readonly value: Uint8Array;
  /** Grows with every write to the bucket. */
  readonly revision: number;
};

/**
 * Operations reject with a `BusError`; after `bus_timeout` and `bus_isolated` a write may have been done or
 * not. Expiry is not a write: nobody is told, and a value that must not be believed too long says so itself.
 */
export interface Bucket {
  get(key: string, signal: AbortSignal): Promise<Entry | null>;
  /** The whole content, in order of revision. */
  entries(signal: AbortSignal): Promise<readonly Entry[]>;

  /** Writes return the new revision. This one conflicts when the key is there. */
  create(key: string, value: Uint8Array, signal: AbortSignal): Promise<number>;
  /** Conflicts unless `revision` is the entry's own. */
  update(key: string, value: Uint8Array, revision: number, signal: AbortSignal): Promise<number>;
  put(key: string, value: Uint8Array, signal: AbortSignal): Promise<number>;
  /** Conflicts unless `revision` is the entry's own or null. Without one, a key that is not there is no error. */
  delete(key: string, revision: number | null, signal: AbortSignal): Promise<void>;

  watch(listener: (event: WatchEvent) => void): Watch;
}

/**
 * First the content, then every change to it in order; a value that was replaced before it could be told may
 * be left out. Whenever a change may have been missed, the content comes again, whole, and replaces what was
 * known.
 */
export type WatchEvent =
  | {
      readonly type: 'content';
      readonly entries: readonly Entry[];
      /** Of the latest write included; 0 for none. */
      readonly revision: number;
      /** Another one than before: the bucket was lost and made anew, and its revisions began again. */
      readonly epoch: string;
    }
  | { readonly type: 'put'; readonly entry: Entry }
  /** The key need not have been there. */
  | { readonly type: 'deleted'; readonly key: string; readonly revision: number };

export interface Watch extends Disposable {
  /** Milliseconds since it was last certain that no change is missing; Infinity before the first content. */
  readonly ageMs: number;
  /** The latest that it has told of; 0 for none. */
  readonly revision: number;
}

export type BusCounts = {
  sent: number;
  received: number;
  /** Not sent, by reason. */
  dropped: Record<Exclude<Published, 'sent'>, number>;
  /** Messages, keys and values of others that no instance would have sent. */
  rejected: number;
  /** Listeners that threw, answers that failed or were too many. */
  failures: number;
  /** Connections made: one, and one more for each that was lost. */
  connections: number;
  /** Times that a watch had to begin again. */
  rereads: number;
};

export function newBusCounts(): BusCounts {
  const dropped = { isolated: 0, backlog: 0, too_large: 0 };
  return { sent: 0, received: 0, dropped, rejected: 0, failures: 0, connections: 0, rereads: 0 };
}
