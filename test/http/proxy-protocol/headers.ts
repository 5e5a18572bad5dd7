export const TCP4 = 0x11;
export const TCP6 = 0x21;
export const UNIX = 0x31;

const PROXIED = 0x21;
const DETAILS_BYTES = new Map([
  [TCP4, 12],
  [TCP6, 36],
  [UNIX, 216],
]);

export type BinaryHeader = {
  /** Version and command. */
  readonly command?: number;
  readonly family?: number;
  readonly source?: readonly number[];
  readonly detailsBytes?: number;
};

/** A header of version 2, as long as it says it is. */
export function binaryHeader({
  command = PROXIED,
  family = TCP4,
  source = [],
  detailsBytes = DETAILS_BYTES.get(family) ?? 0,
}: BinaryHeader): Buffer {
  const header = Buffer.alloc(16 + detailsBytes);
  header.write('\r\n\r\n\0\r\nQUIT\n', 'latin1');
  header[12] = command;
  header[13] = family;
  header.writeUInt16BE(detailsBytes, 14);
  header.set(source, 16);
  return header;
}
