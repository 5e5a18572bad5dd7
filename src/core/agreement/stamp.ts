/** When an instance said something, by its own count. */
export type Stamp = {
  /** Grows with each start of the instance: its wall clock then, milliseconds. */
  readonly incarnation: number;
  /** Grows with each message of one incarnation. */
  readonly sequence: number;
};

/** Positive if `a` was said after `b`, negative if before, 0 if in the same message. */
export function compareStamps(a: Stamp, b: Stamp): number {
  return a.incarnation - b.incarnation || a.sequence - b.sequence;
}
