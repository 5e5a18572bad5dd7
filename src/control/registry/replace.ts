import { isConflict } from '#bus/errors.ts';
import { type Plan, planBetween } from '#core/registry/plan.ts';
import { idOf, type UpstreamRecord } from '#core/registry/record.ts';
import type { Item } from '#core/registry/replica.ts';
import type { RegistryValue } from './codec.ts';
import { RegistryError } from './errors.ts';
import { keyOf, SEED_KEY } from './forms.ts';
import type { RegistryStore } from './store.ts';

/** Each begins with what there is then; the last one finds nothing left to do. */
const ROUNDS_MAX = 8;
/** Under way at once: far fewer than the bus allows. */
const WRITES_MAX = 32;

export type Records = ReadonlyMap<string, UpstreamRecord>;

/**
 * Makes the registry what `wanted` makes of it, one upstream after the other: first what is new or different,
 * then what is to go, so that on the way there is never less than before or after. What cannot be read goes, too.
 * Resolves with what differed at first; rejects with a BusError, with the signal's reason, or with a RegistryError
 * if others write so much at the same time that there is no end to it.
 */
export async function replaceAll(
  store: RegistryStore,
  wanted: (current: Records) => readonly UpstreamRecord[],
  signal: AbortSignal,
): Promise<Plan> {
  let first: Plan | null = null;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const items = (await store.readAll()).filter(({ key }) => key !== SEED_KEY);
    const current = new Map(items.flatMap(recordsIn).map((record) => [idOf(record), record]));
    const target = wanted(current);
    const plan = planBetween(current.values(), target);
    first ??= plan;

    const revisions = new Map(items.map(({ key, revision }) => [key, revision]));
    const kept = new Set(target.map(keyOf));
    const puts = [...plan.add, ...plan.change];
    const strays = items.filter(({ key }) => !kept.has(key));
    if (puts.length + strays.length === 0) return first;
    const put = (record: UpstreamRecord) => store.write(record, revisions.get(keyOf(record)) ?? null);
    await each(puts, put, signal);
    await each(strays, ({ key, revision }) => store.delete(key, revision), signal);
  }
  throw new RegistryError('registry_conflict', 'others change the registry at the same time; try again');
}

function recordsIn({ value }: Item<RegistryValue>): UpstreamRecord[] {
  return value?.kind === 'upstream' ? [value.record] : [];
}

/** Where somebody else was first, the next round sees what that means. */
async function each<T>(
  things: readonly T[],
  write: (thing: T) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for (let start = 0; start < things.length; start += WRITES_MAX) {
    signal.throwIfAborted();
    const writes = things.slice(start, start + WRITES_MAX).map(async (thing) => {
      await write(thing).catch((error: unknown) => {
        if (!isConflict(error)) throw error;
      });
    });
    await Promise.all(writes);
  }
}
