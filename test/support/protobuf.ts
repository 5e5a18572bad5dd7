/** Protocol Buffers' wire format (https://protobuf.dev/programming-guides/encoding/), as far as OTLP uses it. */

/** Values of one field in their order: numbers and 64-bit ones as bigint, everything else as bytes. */
export type Fields = ReadonlyMap<number, readonly (bigint | Buffer)[]>;

export function readFields(bytes: Buffer): Fields {
  const fields = new Map<number, (bigint | Buffer)[]>();
  let at = 0;
  const varint = () => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new Error('the message ends in the middle of a number');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number) => {
    if (at + length > bytes.length) throw new Error('the message ends in the middle of a field');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const field = tag >> 3;
    const values = fields.get(field) ?? [];
    fields.set(field, values);
    switch (tag & 7) {
      case 0:
        values.push(varint());
        break;
      case 1:
        values.push(take(8).readBigUInt64LE());
        break;
      case 2:
        values.push(take(Number(varint())));
        break;
      case 5:
        values.push(BigInt(take(4).readUInt32LE()));
        break;
      default:
        throw new Error(`no such wire type: ${tag & 7}`);
    }
  }
  return fields;
}

/** The messages, or texts, of a repeated field. */
export function bytesOf(fields: Fields, field: number): Buffer[] {
  return (fields.get(field) ?? []).filter((value) => Buffer.isBuffer(value));
}

export function textOf(fields: Fields, field: number): string {
  return bytesOf(fields, field)[0]?.toString() ?? '';
}

/** 0 where it was not sent, as the format has it. */
export function numberOf(fields: Fields, field: number): bigint {
  const [value = 0n] = fields.get(field) ?? [];
  return typeof value === 'bigint' ? value : 0n;
}
