import { HEADER_BYTES, RECORD_BYTES, regionBytes } from './layout.ts';

/** The records of one worker as memory: `slots` of them, then those in the queue. */
export class Region {
  readonly slots: number;
  readonly bytes: Buffer<SharedArrayBuffer>;
  readonly view: DataView<SharedArrayBuffer>;
  /** For what is read and written atomically. */
  readonly words: Int32Array<SharedArrayBuffer>;

  constructor(memory: SharedArrayBuffer, worker: number, slots: number) {
    const length = regionBytes(slots);
    const offset = worker * length;
    this.slots = slots;
    this.bytes = Buffer.from(memory, offset, length);
    this.view = new DataView(memory, offset, length);
    this.words = new Int32Array(memory, offset, length / Int32Array.BYTES_PER_ELEMENT);
  }

  /** Where a record begins; the queue's come behind the slots. */
  offsetOf(record: number): number {
    return HEADER_BYTES + record * RECORD_BYTES;
  }
}
