/** Bytes at first; twice as many whenever they do not suffice: never more than twice what the longest span takes. */
const BYTES_FIRST = 16_384;
/** Room for what is written between two beginnings: tags, lengths, numbers. */
const ROOM = 256;
/** Lengths below take one byte, which is what a beginning leaves for them. */
const SHORT = 0x80;
/** Texts up to this length are copied here, as the way through Node costs as much as 20 characters. */
const COPIED_MAX = 32;

const [VARINT, FIXED64, LENGTH, FIXED32] = [0, 1, 2, 5];

/**
 * Writes messages of protobuf (protobuf.dev/programming-guides/encoding) one behind the other, field by field. The
 * fields of a message within one come between `begin` and `end`; at most 20 numbers in a row.
 */
export class ProtobufWriter {
  #bytes = Buffer.allocUnsafeSlow(BYTES_FIRST);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** A copy of all that was written, which is then forgotten. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#at));
    this.#at = 0;
    return taken;
  }

  /** Begins a message that may have `room` bytes of its own; `end` wants to have what this returns. */
  begin(field: number, room = 0): number {
    if (this.#at + room + ROOM > this.#bytes.length) this.#grow(room + ROOM);
    this.#varint((field << 3) | LENGTH);
    return ++this.#at;
  }

  end(from: number): void {
    const length = this.#at - from;
    if (length < SHORT) {
      this.#bytes[from - 1] = length;
      return;
    }
    this.#bytes.copyWithin(from - 1 + sizeOf(length), from, this.#at);
    this.#at = from - 1;
    this.#varint(length);
    this.#at += length;
  }

  /** Begins a message of `length` bytes that are not written here. */
  announce(field: number, length: number): void {
    this.#varint((field << 3) | LENGTH);
    this.#varint(length);
  }

  text(field: number, text: string): void {
    const from = this.begin(field, 3 * text.length);
    if (!this.#copy(text)) this.#at += this.#bytes.write(text, from);
    this.end(from);
  }

  /** Bytes, by their hexadecimal digits. */
  hex(field: number, digits: string): void {
    const from = this.begin(field, digits.length);
    this.#at += this.#bytes.write(digits, from, 'hex');
    this.end(from);
  }

  integer(field: number, value: number): void {
    this.#varint((field << 3) | VARINT);
    this.#varint(value);
  }

  double(field: number, value: number): void {
    this.#varint((field << 3) | FIXED64);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  fixed32(field: number, value: number): void {
    this.#varint((field << 3) | FIXED32);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
  }

  /** Nanoseconds since the Unix epoch: more than a number holds exactly, so the lowest 16 bits come apart. */
  time(field: number, [seconds, nanoseconds]: readonly [number, number]): void {
    const low = (seconds % 0x10000) * 1e9 + nanoseconds;
    const high = Math.floor(seconds / 0x10000) * 1e9 + Math.floor(low / 0x10000);
    this.#varint((field << 3) | FIXED64);
    this.#view.setUint16(this.#at, low, true);
    this.#view.setUint32(this.#at + 2, high, true);
    this.#view.setUint16(this.#at + 6, high / 0x100000000, true);
    this.#at += 8;
  }

  /** Negative ones are of 64 bits in two's complement, and take ten bytes. */
  #varint(value: number): void {
    const bytes = this.#bytes;
    let at = this.#at;
    let rest = value;
    for (let written = 1; rest >= SHORT || (rest < 0 && written < 10); written++) {
      bytes[at++] = (rest & 0x7f) | SHORT;
      rest = Math.floor(rest / SHORT);
    }
    bytes[at] = rest & (value < 0 ? 1 : 0x7f);
    this.#at = at + 1;
  }

  /** Returns false, and has written nothing, where the text is long or not of ASCII alone. */
  #copy(text: string): boolean {
    if (text.length > COPIED_MAX) return false;
    const bytes = this.#bytes;
    const at = this.#at;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code >= SHORT) return false;
      bytes[at + index] = code;
    }
    this.#at += text.length;
    return true;
  }

  #grow(room: number): void {
    const bytes = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + room));
    this.#bytes.copy(bytes, 0, 0, this.#at);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }
}

/** Bytes that a length takes. */
export function sizeOf(length: number): number {
  let size = 1;
  for (let rest = length; rest >= SHORT; rest = Math.floor(rest / SHORT)) size++;
  return size;
}
