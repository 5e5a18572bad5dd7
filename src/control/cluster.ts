import type { Bus } from '#bus/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Clock } from '#core/clock.ts';
import { systemRandom } from '#core/random.ts';
import { isNothing, type Plan } from '#core/registry/plan.ts';
import { draftOf, type UpstreamDraft } from '#core/registry/record.ts';
import { sharedQuotas, type Table } from '#core/table.ts';
import type { SharedState } from '#shared/state.ts';
import type { Log } from '#telemetry/log.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { BusLink } from './bus-link.ts';
import { Discovery } from './discovery/discovery.ts';
import { resolveBy, resolveBySystem } from './discovery/resolve.ts';
import { Health } from './health/health.ts';
import { HEARTBEAT_MS } from './health/heartbeats.ts';
import { LimitExchange } from './limit-exchange.ts';
import { planOf } from './registry/compare.ts';
import { RegistryEdits } from './registry/edits.ts';
import { Registry } from './registry/registry.ts';
import { TableSource } from './table-source.ts';

export type ClusterOptions = {
  readonly config: LoadedConfig;
  readonly shared: SharedState;
  /** Id of this instance. */
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Gives up opening. */
  readonly signal: AbortSignal;
};

type Parts = Pick<Cluster, 'registry' | 'edits' | 'tables' | 'health' | 'link' | 'limits'>;

/** What instances agree on: which upstreams there are, which of them are healthy, what clients have used. */
export class Cluster implements AsyncDisposable {
  readonly registry: Registry;
  readonly edits: RegistryEdits;
  readonly tables: TableSource;
  readonly health: Health;
  /** Null where an instance agrees with itself alone. */
  readonly link: BusLink | null;
  readonly limits: LimitExchange;
  readonly #stack: AsyncDisposableStack;

  /** Resolves when there is a table to serve by, be the bus there or not. */
  static async open(options: ClusterOptions, bus: Bus): Promise<Cluster> {
    const { config, shared, instance, clock, log, signal } = options;
    const { settings, table: configured } = config;
    const random = systemRandom;
    await using stack = new AsyncDisposableStack();
    const registry = stack.use(openRegistry(options, bus));
    const resolve = settings.dnsServers.length === 0 ? resolveBySystem : resolveBy(settings.dnsServers);
    const discovery = stack.use(new Discovery({ resolve, clock, random, log }));
    const cells = shared.upstreams;
    const tables = stack.use(new TableSource({ configured, registry, discovery, cells, clock, log }));
    // What the registry says of upstreams holds from the first request on.
    await registry.opened(signal);
    tables.refresh();
    const health = stack.use(openHealth(options, bus, registry));
    tables.onTable = (latest) => health.watch(latest);
    health.watch(tables.table);
    const onOpen = () => health.resync();
    const link =
      settings.bus === null
        ? null
        : stack.use(new BusLink({ bus, roundMs: HEARTBEAT_MS, onOpen, clock, log }));
    const quotas = () => sharedQuotas(tables.table);
    const instances = () => health.others().length + 1;
    const isAlone = link === null;
    const limits = stack.use(
      new LimitExchange({ bus, limits: shared.limits, quotas, instance, isAlone, instances, clock, log }),
    );
    const edits = new RegistryEdits(registry);
    return new Cluster({ registry, edits, tables, health, link, limits }, stack.move());
  }

  private constructor({ registry, edits, tables, health, link, limits }: Parts, stack: AsyncDisposableStack) {
    this.registry = registry;
    this.edits = edits;
    this.tables = tables;
    this.health = health;
    this.link = link;
    this.limits = limits;
    this.#stack = stack;
  }

  /**
   * Serves by another configuration, and makes the registry what its pools list. Resolves with what that changed
   * there. Rejects with a RegistryError, having changed nothing or not all of the registry, and nothing else.
   */
  reconfigure(configured: Table): Promise<Plan> {
    const drafts = draftsIn(configured);
    return this.tables.reconfigure(configured, async () => {
      const plan = planOf(this.registry.served, drafts);
      // Cut off from the bus, it can still serve by other routes.
      return isNothing(plan) ? plan : this.edits.apply(drafts);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

function openRegistry({ config, instance, clock, log }: ClusterOptions, bus: Bus): Registry {
  const { file, table } = config;
  return new Registry({ bus, instance, configured: draftsIn(table), file, clock, log });
}

function draftsIn(table: Table): UpstreamDraft[] {
  return Object.values(table.pools).flatMap(({ upstreams }) => upstreams.map(draftOf));
}

function openHealth({ config, instance, shared, clock, log }: ClusterOptions, bus: Bus, registry: Registry) {
  return new Health({
    bus,
    instance,
    version: packageFile.version,
    observers: config.settings.instance.observers,
    report: () => registry.report,
    cells: shared.upstreams,
    clock,
    random: systemRandom,
    log,
  });
}
