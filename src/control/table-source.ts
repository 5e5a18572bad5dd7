import type { Clock, Timer } from '#core/clock.ts';
import { formatEndpoint } from '#core/endpoint.ts';
import { checksumOf } from '#core/registry/checksum.ts';
import { draftOf, idOf, recordOf, type UpstreamId, type UpstreamRecord } from '#core/registry/record.ts';
import { SlotBook, type SlotCells } from '#core/registry/slots.ts';
import { buildTable } from '#core/registry/table.ts';
import type { Table, Upstream } from '#core/table.ts';
import { UPSTREAM_SLOTS_MAX } from '#shared/upstream-cells.ts';
import type { Log } from '#telemetry/log.ts';
import type { Registry } from './registry/registry.ts';

/** Changes within so much time make one table. */
const REBUILD_MS = 5;

export type TableSourceOptions = {
  /** What the configuration says. */
  readonly configured: Table;
  readonly registry: Registry;
  readonly cells: SlotCells;
  readonly clock: Clock;
  readonly log: Log;
};

/** The table that the instance serves by: made anew when the registry has changed. */
export class TableSource implements Disposable {
  /** Called with each table after the first one. */
  onTable: (table: Table) => void = () => {};
  readonly #options: TableSourceOptions;
  readonly #slots: SlotBook;
  #table: Table;
  /** Pools of the registry that the configuration does not have. */
  #strangePools: ReadonlySet<string> = new Set();
  /** Of the content that the table was made of. */
  #checksum: string;
  #due: Timer | null = null;

  constructor(options: TableSourceOptions) {
    const { configured, registry, cells } = options;
    this.#options = options;
    this.#table = configured;
    this.#slots = new SlotBook(cells, UPSTREAM_SLOTS_MAX, upstreamsOf(configured));
    this.#checksum = checksumOf(
      upstreamsOf(configured).map((upstream) => recordOf(draftOf(upstream), undefined)),
    );
    registry.onChange = () => this.#plan();
    this.#plan();
  }

  get table(): Table {
    return this.#table;
  }

  /** Makes at once what a change would lead to a little later. */
  refresh(): void {
    this.#due?.cancel();
    this.#due = null;
    const { records, checksum } = this.#options.registry.served;
    if (checksum === this.#checksum) return;
    this.#checksum = checksum;
    this.#rebuild(records);
  }

  [Symbol.dispose](): void {
    this.#options.registry.onChange = () => {};
    this.#due?.cancel();
  }

  #plan(): void {
    this.#due ??= this.#options.clock.after(REBUILD_MS, () => this.refresh());
  }

  #rebuild(records: readonly UpstreamRecord[]): void {
    const { configured } = this.#options;
    const before = new Map(upstreamsOf(this.#table).map((upstream) => [upstream.slot, upstream]));
    this.#slots.retain(records);
    const revision = this.#table.revision + 1;
    const slotOf = (upstream: UpstreamId) => this.#slotOf(upstream);
    this.#table = buildTable({ configured, records, revision, slotOf });
    this.#forgetMoved(before);
    this.#tellOfPools(records);
    this.onTable(this.#table);
  }

  #slotOf(upstream: UpstreamId): number | null {
    const slot = this.#slots.slotOf(upstream);
    if (slot === null) {
      const problem =
        'table: %s is left out: all %d places are taken, some by what is gone and still under way';
      this.#options.log.error(problem, idOf(upstream), UPSTREAM_SLOTS_MAX);
    }
    return slot;
  }

  /** What was learned about one address says nothing about another. */
  #forgetMoved(before: ReadonlyMap<number, Upstream>): void {
    for (const upstream of upstreamsOf(this.#table)) {
      const old = before.get(upstream.slot);
      const isMoved = old !== undefined && formatEndpoint(old) !== formatEndpoint(upstream);
      if (isMoved) this.#options.cells.reset(upstream.slot);
    }
  }

  #tellOfPools(upstreams: readonly UpstreamId[]): void {
    const { configured, log } = this.#options;
    const pools = new Set(upstreams.map(({ pool }) => pool));
    const strange = new Set([...pools].filter((pool) => !Object.hasOwn(configured.pools, pool)));
    for (const pool of strange) {
      if (!this.#strangePools.has(pool))
        log.warn('registry: no route of this instance leads to its pool %s', pool);
    }
    this.#strangePools = strange;
  }
}

function upstreamsOf(table: Table): Upstream[] {
  return Object.values(table.pools).flatMap(({ upstreams }) => upstreams);
}
