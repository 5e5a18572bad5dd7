import { isIP } from 'node:net';
import type { Clock, Timer } from '#core/clock.ts';
import { formatEndpoint } from '#core/endpoint.ts';
import { withKnownPoolSlots } from '#core/pool-slots.ts';
import { checksumOf } from '#core/registry/checksum.ts';
import { type EndpointRecord, endpointsOf } from '#core/registry/endpoints.ts';
import { draftOf, endpointIdOf, recordOf, type UpstreamRecord } from '#core/registry/record.ts';
import { SlotBook, type SlotCells } from '#core/registry/slots.ts';
import { buildTable } from '#core/registry/table.ts';
import type { Table, Upstream } from '#core/table.ts';
import { UPSTREAM_SLOTS_MAX } from '#shared/upstream-cells.ts';
import type { Log } from '#telemetry/log.ts';
import type { Discovery } from './discovery/discovery.ts';
import type { Registry } from './registry/registry.ts';
import { Waiting } from './registry/waiting.ts';

/** Changes within so much time make one table. */
const REBUILD_MS = 5;
/** After a table, so many times as long as it took: thousands of upstreams that change keep nobody from work. */
const REST_FACTOR = 10;

export type TableSourceOptions = {
  /** What the configuration says. */
  readonly configured: Table;
  readonly registry: Registry;
  readonly discovery: Discovery;
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
  #configured: Table;
  #table: Table;
  /** How many upstreams have no place in it. */
  #leftOut = 0;
  /** Pools of the registry that the configuration does not have. */
  #strangePools: ReadonlySet<string> = new Set();
  /** Of the content that the table was made of. */
  #checksum: string;
  /** Whether there is another configuration since then, or a host name stands for other addresses. */
  #isOutdated = false;
  /** Whether changes wait for the configuration that comes with them. */
  #isHeld = false;
  #due: Timer | null = null;
  readonly #waiting: Waiting;
  /** No table is planned before. */
  #restedAtMs = 0;

  constructor(options: TableSourceOptions) {
    const { configured, registry, cells } = options;
    this.#options = options;
    this.#configured = configured;
    this.#table = configured;
    this.#waiting = new Waiting(options.clock);
    this.#slots = new SlotBook(cells, UPSTREAM_SLOTS_MAX, upstreamsOf(configured));
    this.#checksum = checksumOf(
      upstreamsOf(configured).map((upstream) => recordOf(draftOf(upstream), undefined)),
    );
    registry.onChange = () => this.#plan();
    options.discovery.onChange = () => {
      this.#isOutdated = true;
      this.#plan();
    };
    this.#discover(registry.served.records);
    this.#plan();
  }

  get table(): Table {
    return this.#table;
  }

  /** Resolves with whether the table has all changes so far: when it does, or after `deadlineMs`. */
  settled(deadlineMs: number): Promise<boolean> {
    return this.#waiting.until(() => this.#due === null && !this.#isHeld, deadlineMs);
  }

  /**
   * Serves by another configuration once `change` has made the registry fit it: by one table that has both, with
   * none in between. If `change` rejects, so does this, and the configuration stays as it was.
   */
  async reconfigure<T>(configured: Table, change: () => Promise<T>): Promise<T> {
    this.#isHeld = true;
    try {
      const result = await change();
      this.#configured = withKnownPoolSlots(configured, this.#configured);
      this.#isOutdated = true;
      return result;
    } finally {
      this.#isHeld = false;
      this.refresh();
    }
  }

  /** Makes at once what a change would lead to a little later. */
  refresh(): void {
    const { registry, clock } = this.#options;
    this.#due?.cancel();
    this.#due = null;
    if (this.#isHeld) return;
    // Asked after the table is made.
    this.#waiting.look();
    const startMs = clock.monotonicMs();
    const { records, checksum } = registry.served;
    if (checksum === this.#checksum && !this.#isOutdated) return;
    this.#checksum = checksum;
    this.#isOutdated = false;
    this.#rebuild(records);
    const endMs = clock.monotonicMs();
    this.#restedAtMs = endMs + REST_FACTOR * (endMs - startMs);
  }

  [Symbol.dispose](): void {
    this.#options.registry.onChange = () => {};
    this.#options.discovery.onChange = () => {};
    this.#due?.cancel();
  }

  #plan(): void {
    const { clock } = this.#options;
    const delayMs = Math.max(REBUILD_MS, this.#restedAtMs - clock.monotonicMs());
    this.#due ??= clock.after(delayMs, () => this.refresh());
  }

  #rebuild(served: readonly UpstreamRecord[]): void {
    const records = this.#discover(served);
    const before = new Map(upstreamsOf(this.#table).map((upstream) => [upstream.slot, upstream]));
    this.#slots.retain(records);
    const revision = this.#table.revision + 1;
    const leftOut: EndpointRecord[] = [];
    const slotOf = (upstream: EndpointRecord) => {
      const slot = this.#slots.slotOf(upstream);
      if (slot === null) leftOut.push(upstream);
      return slot;
    };
    this.#table = buildTable({ configured: this.#configured, records, revision, slotOf });
    this.#forgetMoved(before);
    this.#tellOfLeftOut(leftOut);
    this.#tellOfPools(records);
    this.onTable(this.#table);
  }

  /** Follows the host names of upstreams, and puts in what they stand for as far as that is known. */
  #discover(records: readonly UpstreamRecord[]): EndpointRecord[] {
    const { discovery } = this.#options;
    discovery.follow(new Set(records.map(({ address }) => address).filter(isDiscovered)));
    return records.flatMap((record) => endpointsOf(record, discovery.addressesOf(record.address)));
  }

  #tellOfLeftOut(upstreams: readonly EndpointRecord[]): void {
    const [first] = upstreams;
    if (first !== undefined && upstreams.length !== this.#leftOut) {
      const facts = { upstreams: upstreams.length, first: endpointIdOf(first) };
      const problem = 'table: there is room for %d upstreams, those included that are gone and still at work';
      this.#options.log.error(facts, problem, UPSTREAM_SLOTS_MAX);
    }
    this.#leftOut = upstreams.length;
  }

  /** What was learned about one address says nothing about another. */
  #forgetMoved(before: ReadonlyMap<number, Upstream>): void {
    for (const upstream of upstreamsOf(this.#table)) {
      const old = before.get(upstream.slot);
      const isMoved = old !== undefined && formatEndpoint(old) !== formatEndpoint(upstream);
      if (isMoved) this.#options.cells.reset(upstream.slot);
    }
  }

  #tellOfPools(upstreams: readonly UpstreamRecord[]): void {
    const { log } = this.#options;
    const pools = new Set(upstreams.map(({ pool }) => pool));
    const strange = new Set([...pools].filter((pool) => !Object.hasOwn(this.#configured.pools, pool)));
    for (const pool of strange) {
      if (!this.#strangePools.has(pool))
        log.warn('registry: no route of this instance leads to its pool %s', pool);
    }
    this.#strangePools = strange;
  }
}

/** This machine is one endpoint, whatever its families (RFC 6761 §6.3). */
function isDiscovered(address: string): boolean {
  return isIP(address) === 0 && address !== 'localhost';
}

function upstreamsOf(table: Table): Upstream[] {
  return Object.values(table.pools).flatMap(({ upstreams }) => upstreams);
}
