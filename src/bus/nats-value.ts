import { MESSAGE_BYTES_MAX } from './contract.ts';

const NOTHING = new Uint8Array();

/** A copy of a value; of one that no instance would have written, being too large, nothing but that it is there. */
export function readableValue(data: Uint8Array, rejected: () => void): Uint8Array {
  if (data.length <= MESSAGE_BYTES_MAX) return new Uint8Array(data);
  rejected();
  return NOTHING;
}
