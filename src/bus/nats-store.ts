import { type KV, Kvm } from '@nats-io/kv';
import { type BucketOptions, MESSAGE_BYTES_MAX } from './contract.ts';
import type { NatsSession } from './nats-session.ts';

/** What the server counts beside a value: the headers of a conditional write. */
const HEADER_BYTES_MAX = 1024;

/** Where a bucket is in NATS: made when it is first used over a connection, unless it is there. */
export class NatsStore {
  /** Only letters, digits, `-` and `_` can be in it. */
  readonly #name: string;
  readonly #options: BucketOptions;
  #opened: { readonly session: NatsSession; readonly kv: Promise<KV> } | null = null;

  constructor(prefix: string, name: string, options: BucketOptions) {
    this.#name = `${prefix.replaceAll('.', '_')}_${name}`;
    this.#options = options;
  }

  get stream(): string {
    return `KV_${this.#name}`;
  }

  /** What the subjects of its keys begin with, the last dot included. */
  get subjectPrefix(): string {
    return `$KV.${this.#name}.`;
  }

  /** If it is there it stays as it is, whatever its options: an operator may have made it. */
  open(session: NatsSession): Promise<KV> {
    if (this.#opened?.session !== session) this.#opened = { session, kv: this.#make(session) };
    return this.#opened.kv;
  }

  /** Something went wrong; perhaps it is not there any more. Whoever opens it next looks. */
  forget(): void {
    this.#opened = null;
  }

  async #make(session: NatsSession): Promise<KV> {
    const { entryMsMax, bytesMax } = this.#options;
    return new Kvm(session.js).create(this.#name, {
      history: 1,
      max_bytes: bytesMax,
      maxValueSize: MESSAGE_BYTES_MAX + HEADER_BYTES_MAX,
      // What one has written, one can read; a copy on another server might not have it yet.
      allow_direct: false,
      ...(entryMsMax === null ? {} : { ttl: entryMsMax }),
    });
  }
}
