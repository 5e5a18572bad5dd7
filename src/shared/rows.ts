/** Takes one row after the other from shared memory, each with one number for every slot. */
export class Rows {
  readonly #memory: SharedArrayBuffer;
  readonly #slots: number;
  #offset: number;

  /** `offset` and `slots` have to be multiples of 8 and 2, so that every row begins where its numbers may. */
  constructor(memory: SharedArrayBuffer, offset: number, slots: number) {
    this.#memory = memory;
    this.#offset = offset;
    this.#slots = slots;
  }

  /** 64-bit machines read and write each of these whole. */
  doubles(): Float64Array {
    return this.#take(new Float64Array(this.#memory, this.#offset, this.#slots));
  }

  /** For `Atomics`. */
  integers(): Int32Array {
    return this.#take(new Int32Array(this.#memory, this.#offset, this.#slots));
  }

  #take<Row extends Float64Array | Int32Array>(row: Row): Row {
    this.#offset += row.byteLength;
    return row;
  }
}
