import { checksumOf } from '#core/registry/checksum.ts';
import { idOf, recordOf, type UpstreamDraft, type UpstreamRecord } from '#core/registry/record.ts';
import type { Replica, Versioned } from '#core/registry/replica.ts';
import type { Seed } from '#core/registry/seed.ts';
import type { RegistryValue } from './codec.ts';
import { SEED_KEY } from './forms.ts';

/** The upstreams that an instance serves, as they were at one moment. */
export class Served {
  /** By `idOf`. A revision of 0: from the configuration file. */
  readonly upstreams: ReadonlyMap<string, Versioned<UpstreamRecord>>;
  /** Of the registry's latest change in it; 0 from the file. */
  readonly revision: number;
  /** What the registry was filled with; null from the file, or if that is not known. */
  readonly seed: Seed | null;
  #checksum: string | null = null;

  constructor(upstreams: Iterable<Versioned<UpstreamRecord>>, revision: number, seed: Seed | null) {
    this.upstreams = new Map([...upstreams].map((it) => [idOf(it.value), it]));
    this.revision = revision;
    this.seed = seed;
  }

  static fromFile(drafts: Iterable<UpstreamDraft>): Served {
    const records = [...drafts].map((draft) => ({ value: recordOf(draft, undefined), revision: 0 }));
    return new Served(records, 0, null);
  }

  static fromRegistry(replica: Replica<RegistryValue>): Served {
    const upstreams = [...replica.entries.values()].flatMap(({ value, revision }) =>
      value.kind === 'upstream' ? [{ value: value.record, revision }] : [],
    );
    const seed = replica.entries.get(SEED_KEY)?.value;
    return new Served(upstreams, replica.revision, seed?.kind === 'seed' ? seed.seed : null);
  }

  get records(): UpstreamRecord[] {
    return [...this.upstreams.values()].map(({ value }) => value);
  }

  /** Of the content: see checksumOf. */
  get checksum(): string {
    this.#checksum ??= checksumOf(this.records);
    return this.#checksum;
  }
}
