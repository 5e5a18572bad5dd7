import { isConflict } from '#bus/errors.ts';
import { messageOf } from '#core/errors.ts';
import type { Claim } from '#core/registry/seed.ts';
import type { Log } from '#telemetry/log.ts';
import { replaceAll } from './replace.ts';
import type { Served } from './served.ts';
import type { RegistryStore } from './store.ts';

/** Fills an empty registry, or half of one, with what an instance serves; of several that try, one wins. */
export class Filler {
  readonly #store: RegistryStore;
  readonly #log: Log;
  /** `mark`: the revision of the entry under which it fills; null until that is written. */
  #attempt: { readonly ending: AbortController; mark: number | null } | null = null;

  constructor(store: RegistryStore, log: Log) {
    this.#store = store;
    this.#log = log;
  }

  /** Never rejects. `seedRevision` is that of the seed that there is, or null. */
  async fill(served: Served, claim: Claim, seedRevision: number | null): Promise<void> {
    if (this.#attempt !== null) return;
    const attempt = { ending: new AbortController(), mark: null as number | null };
    this.#attempt = attempt;
    try {
      attempt.mark = await this.#store.writeSeed({ ...claim, phase: 'filling' }, seedRevision);
      await replaceAll(this.#store, () => served.records, attempt.ending.signal);
      await this.#store.writeSeed({ ...claim, phase: 'filled' }, attempt.mark);
      const upstreams = served.upstreams.size;
      if (claim.generation === 1) this.#log.debug({ upstreams }, 'registry: filled');
      else this.#log.warn({ upstreams }, 'registry: it was lost, and is filled again with what was served');
    } catch (error) {
      const isLost = isConflict(error) || attempt.ending.signal.aborted;
      if (!isLost)
        this.#log.warn({ reason: messageOf(error) }, 'registry: could not be filled; trying again');
    } finally {
      this.#attempt = null;
    }
  }

  /** What the registry says of who fills it: whoever lost stops at once. */
  heard(seedRevision: number): void {
    const mark = this.#attempt?.mark ?? null;
    if (mark !== null && seedRevision > mark) this.stop();
  }

  stop(): void {
    this.#attempt?.ending.abort();
  }
}
