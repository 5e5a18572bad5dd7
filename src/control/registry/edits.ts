import { BusError, isConflict } from '#bus/errors.ts';
import { UPSTREAMS_PER_POOL_MAX } from '#config/schema/pool.ts';
import { isNothing, type Plan } from '#core/registry/plan.ts';
import {
  areEqual,
  idOf,
  recordOf,
  type UpstreamDraft,
  type UpstreamId,
  type UpstreamRecord,
} from '#core/registry/record.ts';
import type { Versioned } from '#core/registry/replica.ts';
import { UPSTREAM_SLOTS_MAX } from '#shared/upstream-cells.ts';
import { planOf } from './compare.ts';
import { RegistryError } from './errors.ts';
import { keyOf } from './forms.ts';
import type { Registry } from './registry.ts';
import { type Records, replaceAll } from './replace.ts';

/** Each loses to another writer; so many in a row do not happen by chance. */
const TRIES_MAX = 16;
/** Until this instance serves what was written through it. */
const SERVED_MS_MAX = 2_000;

/**
 * Changes to the registry, made through this instance and served by all. Every write is conditional on what it
 * replaces. Rejects with a RegistryError. Resolves when this instance serves the change.
 */
export class RegistryEdits {
  readonly #registry: Registry;

  constructor(registry: Registry) {
    this.#registry = registry;
  }

  /** Conflicts if there is one of that name in the pool. */
  add(record: UpstreamRecord): Promise<Versioned<UpstreamRecord>> {
    return this.#edit(async () => {
      this.#requireRoom(record.pool);
      try {
        return await this.#written(record, await this.#registry.store.write(record, null));
      } catch (error) {
        if (!isConflict(error)) throw error;
        throw conflict(`there is an upstream ${idOf(record)} already`, await this.#read(record));
      }
    });
  }

  /** With a `revision`, conflicts unless it is the upstream's own. `change` may be called more than once. */
  change(
    upstream: UpstreamId,
    revision: number | null,
    change: (record: UpstreamRecord) => UpstreamRecord,
  ): Promise<Versioned<UpstreamRecord>> {
    return this.#contend(upstream, revision, async (current) => {
      const record = change(current.value);
      if (areEqual(record, current.value)) return current;
      return this.#written(record, await this.#registry.store.write(record, current.revision));
    });
  }

  /** As `change`. */
  remove(upstream: UpstreamId, revision: number | null): Promise<Versioned<UpstreamRecord>> {
    return this.#contend(upstream, revision, async (current) => {
      await this.#registry.store.delete(keyOf(upstream), current.revision);
      const isGone = (now: number | undefined) => now === undefined || now > current.revision;
      await this.#registry.until(
        ({ upstreams }) => isGone(upstreams.get(idOf(upstream))?.revision),
        SERVED_MS_MAX,
      );
      return current;
    });
  }

  /** Makes the registry what the drafts say; states that operators gave to upstreams stay. */
  apply(drafts: readonly UpstreamDraft[]): Promise<Plan> {
    const wanted = (current: Records) => drafts.map((draft) => recordOf(draft, current.get(idOf(draft))));
    return this.#edit(async () => {
      const plan = await replaceAll(this.#registry.store, wanted, this.#registry.signal);
      await this.#registry.until((served) => isNothing(planOf(served, drafts)), SERVED_MS_MAX);
      return plan;
    });
  }

  /** Tries again while others are first, unless a revision says that then it is not wanted. */
  #contend<T>(
    upstream: UpstreamId,
    revision: number | null,
    write: (current: Versioned<UpstreamRecord>) => Promise<T>,
  ): Promise<T> {
    return this.#edit(async () => {
      let current = await this.#read(upstream);
      for (let tries = 0; tries < TRIES_MAX; tries++) {
        if (current === null)
          throw new RegistryError('registry_missing', `there is no upstream ${idOf(upstream)}`);
        if (revision !== null && current.revision !== revision) break;
        try {
          return await write(current);
        } catch (error) {
          if (!isConflict(error)) throw error;
        }
        current = await this.#read(upstream);
      }
      throw conflict(`${idOf(upstream)} was changed by somebody else`, current);
    });
  }

  async #read(upstream: UpstreamId): Promise<Versioned<UpstreamRecord> | null> {
    const item = await this.#registry.store.read(upstream);
    if (item === null) return null;
    const { value, revision } = item;
    if (value?.kind === 'upstream') return { value: value.record, revision };
    throw conflict(
      `what the registry has as ${idOf(upstream)} cannot be read; apply a file to replace it`,
      null,
    );
  }

  async #written(record: UpstreamRecord, revision: number): Promise<Versioned<UpstreamRecord>> {
    await this.#registry.until((served) => served.revision >= revision, SERVED_MS_MAX);
    return { value: record, revision };
  }

  #requireRoom(pool: string): void {
    const { records } = this.#registry.served;
    if (records.length >= UPSTREAM_SLOTS_MAX) {
      throw new RegistryError(
        'registry_full',
        `there are ${UPSTREAM_SLOTS_MAX} upstreams, as many as can be`,
      );
    }
    if (records.filter((record) => record.pool === pool).length >= UPSTREAMS_PER_POOL_MAX) {
      const problem = `the pool ${pool} has ${UPSTREAMS_PER_POOL_MAX} upstreams, as many as it can have`;
      throw new RegistryError('registry_full', problem);
    }
  }

  async #edit<T>(write: () => Promise<T>): Promise<T> {
    if (!this.#registry.isOpen)
      throw unavailable('it is cut off from the bus, or the registry is being filled');
    try {
      return await write();
    } catch (error) {
      if (error instanceof BusError) throw errorOf(error);
      throw error;
    }
  }
}

function conflict(problem: string, current: Versioned<UpstreamRecord> | null): RegistryError {
  return new RegistryError('registry_conflict', problem, current);
}

function unavailable(problem: string, cause?: BusError): RegistryError {
  const advice = 'it serves on with what it knows; try again, or ask another instance';
  const message = `this instance cannot change the registry at the moment: ${problem}; ${advice}`;
  return new RegistryError('registry_unavailable', message, null, { cause });
}

function errorOf(error: BusError): RegistryError {
  switch (error.code) {
    case 'bus_full':
      return new RegistryError('registry_full', error.message, null, { cause: error });
    case 'bus_too_large':
      return new RegistryError('registry_too_large', error.message, null, { cause: error });
    case 'bus_timeout':
    case 'bus_isolated':
      return unavailable(`${error.message}, so the change may have been made or not`, error);
    default:
      return unavailable(error.message, error);
  }
}
