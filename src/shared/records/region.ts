import * as layout from './layout.ts';

// For V8 to fold: see docs/decisions/046-own-constants.md.
const { HEADER_BYTES, RECORD_BYTES, regionBytes } = layout;

/**
 * A stretch of memory by the sizes of the numbers in it, each view counting in its own. Measured: to write through
 * these takes half of what it takes through a DataView.
 */
export class Stretch {
  // Set once, for V8 to know them: see docs/decisions/046-own-constants.md.
  declare readonly bytes: Buffer;
  declare readonly halves: Uint16Array;
  declare readonly words: Int32Array;
  declare readonly floats: Float32Array;
  declare readonly doubles: Float64Array;

  /** `offset` and `length` have to be multiples of 8. */
  constructor(memory: ArrayBufferLike, offset: number, length: number) {
    this.bytes = Buffer.from(memory, offset, length);
    this.halves = new Uint16Array(memory, offset, length >> 1);
    this.words = new Int32Array(memory, offset, length >> 2);
    this.floats = new Float32Array(memory, offset, length >> 2);
    this.doubles = new Float64Array(memory, offset, length >> 3);
  }
}

/** The records of one worker as memory: `slots` of them, then those in the queue. */
export class Region extends Stretch {
  declare readonly slots: number;

  constructor(memory: SharedArrayBuffer, worker: number, slots: number) {
    const length = regionBytes(slots);
    super(memory, worker * length, length);
    this.slots = slots;
  }

  /** Where a record begins; the queue's come behind the slots. */
  offsetOf(record: number): number {
    return HEADER_BYTES + record * RECORD_BYTES;
  }
}
