/**
 * Messages with a type. On the bus and in buckets they are JSON, `{"v":1,"from":"…","seq":12,"body":{…}}`,
 * and whatever is not exactly that is rejected: by its size before it is read, by its version before its
 * body, by the body's own parser.
 */
import { MESSAGE_BYTES_MAX } from './contract.ts';

export type MessageForm<Body> = {
  /** The only version that is sent and accepted; a body that means something else needs another one. */
  readonly version: number;
  /** Of the whole message, at most MESSAGE_BYTES_MAX. */
  readonly bytesMax: number;
  /** Returns the body or throws; a schema's `parse` will do. */
  readonly parse: (body: unknown) => Body;
};

export type Typed<Body> = {
  /** Id of the instance that says this. */
  readonly from: string;
  /** Counts what that instance says; a later one has a higher number. A non-negative safe integer. */
  readonly sequence: number;
  readonly body: Body;
};

export type RejectReason = 'too_large' | 'not_json' | 'not_a_message' | 'unknown_version' | 'bad_body';

export type Decoded<Body> =
  | { readonly ok: true; readonly message: Typed<Body> }
  | { readonly ok: false; readonly reason: RejectReason };

const FIELDS = 'body,from,seq,v';
const FROM = /^[\w.:-]{1,128}$/;

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** One type of message, and how many were rejected for which reason. */
export class MessageType<Body> {
  readonly #form: MessageForm<Body>;
  readonly rejects: Record<RejectReason, number> = {
    too_large: 0,
    not_json: 0,
    not_a_message: 0,
    unknown_version: 0,
    bad_body: 0,
  };

  constructor(form: MessageForm<Body>) {
    this.#form = form;
  }

  /** Null when the message would be too large: whoever has that much to say says it in parts. */
  encode({ from, sequence, body }: Typed<Body>): Uint8Array | null {
    const data = Buffer.from(JSON.stringify({ v: this.#form.version, from, seq: sequence, body }));
    return data.length <= this.#bytesMax ? data : null;
  }

  /** Never throws. */
  decode(data: Uint8Array): Decoded<Body> {
    if (data.length > this.#bytesMax) return this.#reject('too_large');
    let json: unknown;
    try {
      json = JSON.parse(utf8.decode(data));
    } catch {
      return this.#reject('not_json');
    }
    const version = versionOf(json);
    // Before the fields: another version may have others.
    if (version !== null && version !== this.#form.version) return this.#reject('unknown_version');
    if (!isEnvelope(json)) return this.#reject('not_a_message');
    try {
      return {
        ok: true,
        message: { from: json.from, sequence: json.seq, body: this.#form.parse(json.body) },
      };
    } catch {
      return this.#reject('bad_body');
    }
  }

  get #bytesMax(): number {
    return Math.min(this.#form.bytesMax, MESSAGE_BYTES_MAX);
  }

  #reject(reason: RejectReason): Decoded<Body> {
    this.rejects[reason]++;
    return { ok: false, reason };
  }
}

type Envelope = { readonly v: number; readonly from: string; readonly seq: number; readonly body: unknown };

function versionOf(json: unknown): number | null {
  return typeof json === 'object' && json !== null && 'v' in json && typeof json.v === 'number'
    ? json.v
    : null;
}

function isEnvelope(json: unknown): json is Envelope {
  if (typeof json !== 'object' || json === null) return false;
  if (Object.keys(json).toSorted().join() !== FIELDS) return false;
  const { v, from, seq } = json as Record<keyof Envelope, unknown>;
  return (
    typeof v === 'number' &&
    typeof from === 'string' &&
    FROM.test(from) &&
    typeof seq === 'number' &&
    Number.isSafeInteger(seq) &&
    seq >= 0
  );
}
