import { areEqual, idOf, inOrder, type UpstreamId, type UpstreamRecord } from './record.ts';

/** What makes one registry of another. */
export type Plan = {
  readonly add: readonly UpstreamRecord[];
  readonly change: readonly UpstreamRecord[];
  readonly remove: readonly UpstreamId[];
};

export function planBetween(current: Iterable<UpstreamRecord>, wanted: Iterable<UpstreamRecord>): Plan {
  const known = new Map([...current].map((record) => [idOf(record), record]));
  const add: UpstreamRecord[] = [];
  const change: UpstreamRecord[] = [];
  for (const record of wanted) {
    const before = known.get(idOf(record));
    known.delete(idOf(record));
    if (before === undefined) add.push(record);
    else if (!areEqual(before, record)) change.push(record);
  }
  return { add, change, remove: inOrder(known.values()) };
}

export function isNothing({ add, change, remove }: Plan): boolean {
  return add.length + change.length + remove.length === 0;
}
