import type { JsMsg } from '@nats-io/jetstream';
import type { Entry, WatchEvent } from './contract.ts';
import { isKey } from './names.ts';
import { readableValue } from './nats-value.ts';

/** Set by clients on what is no value, and by servers (2.11 on) on what expired. */
const OPERATION_HEADER = 'KV-Operation';
const MARKER_HEADER = 'Nats-Marker-Reason';

export type NatsReaderOptions = {
  /** What subjects of the bucket begin with, the last dot included. */
  readonly subjectPrefix: string;
  readonly epoch: string;
  /** Must not throw. */
  readonly tell: (event: WatchEvent) => void;
  /** Something in the bucket that no instance would have written. */
  readonly rejected: () => void;
};

/** Turns what a consumer delivers into a bucket's content, and then into changes. */
export class NatsReader {
  readonly #options: NatsReaderOptions;
  /** Null once it has been told. */
  #content: Map<string, Entry> | null = new Map();
  #delivered = 0;
  #revision = 0;

  constructor(options: NatsReaderOptions) {
    this.#options = options;
  }

  /** Messages delivered so far. */
  get delivered(): number {
    return this.#delivered;
  }

  get isCaughtUp(): boolean {
    return this.#content === null;
  }

  /** Throws if a message is missing before this one. */
  take(message: JsMsg): void {
    const { deliverySequence, streamSequence, pending } = message.info;
    if (deliverySequence !== this.#delivered + 1) {
      throw new Error(`message ${this.#delivered + 1} is missing, ${deliverySequence} came`);
    }
    this.#delivered = deliverySequence;
    // Servers (2.9) deliver a write again for each one that it overtook while the content was read.
    if (streamSequence > this.#revision) this.#apply(message, streamSequence);
    if (pending === 0) this.catchUp();
  }

  /** There is nothing more to come but changes. */
  catchUp(): void {
    if (this.#content === null) return;
    const entries = [...this.#content.values()];
    this.#content = null;
    this.#options.tell({ type: 'content', entries, revision: this.#revision, epoch: this.#options.epoch });
  }

  #apply(message: JsMsg, revision: number): void {
    this.#revision = revision;
    const key = message.subject.slice(this.#options.subjectPrefix.length);
    if (!isKey(key)) this.#options.rejected();
    else if (isValue(message))
      this.#put({ key, value: readableValue(message.data, this.#options.rejected), revision });
    else this.#delete(key, revision);
  }

  #put(entry: Entry): void {
    if (this.#content === null) {
      this.#options.tell({ type: 'put', entry });
      return;
    }
    // Moves it to the end: the content is in order of revision.
    this.#content.delete(entry.key);
    this.#content.set(entry.key, entry);
  }

  #delete(key: string, revision: number): void {
    if (this.#content === null) this.#options.tell({ type: 'deleted', key, revision });
    else this.#content.delete(key);
  }
}

function isValue({ headers }: JsMsg): boolean {
  return headers?.has(OPERATION_HEADER) !== true && headers?.has(MARKER_HEADER) !== true;
}
