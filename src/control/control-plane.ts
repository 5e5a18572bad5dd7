import type { Server } from 'node:http';
import { availableParallelism } from 'node:os';
import type { Accounts } from '#accounts/accounts.ts';
import type { AdminRoutes } from '#admin/api.ts';
import { clusterRoutes } from '#admin/cluster.ts';
import { keysRoutes } from '#admin/keys.ts';
import { logLevelRoutes } from '#admin/log-level.ts';
import { metricsRoutes } from '#admin/metrics.ts';
import { requestsRoutes } from '#admin/requests.ts';
import { probeRoutes } from '#admin/routes.ts';
import { startAdminServer } from '#admin/server.ts';
import { upstreamsRoutes } from '#admin/upstreams.ts';
import { usersRoutes } from '#admin/users.ts';
import type { Bus } from '#bus/contract.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { systemRandom } from '#core/random.ts';
import { draftOf, type UpstreamDraft } from '#core/registry/record.ts';
import type { AdminSettings } from '#core/settings.ts';
import { sharedQuotas, type Table } from '#core/table.ts';
import type { SharedState } from '#shared/state.ts';
import type { Log } from '#telemetry/log.ts';
import { InstanceMetrics } from '#telemetry/metric-producer.ts';
import { clusterSource, instanceSources, registrySource } from '#telemetry/metric-sources.ts';
import { Telemetry } from '#telemetry/telemetry.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { BusLink } from './bus-link.ts';
import { Discovery } from './discovery/discovery.ts';
import { resolveBy, resolveBySystem } from './discovery/resolve.ts';
import { Health } from './health/health.ts';
import { HEARTBEAT_MS } from './health/heartbeats.ts';
import { LimitExchange } from './limit-exchange.ts';
import { openBus } from './open-bus.ts';
import { portError } from './port.ts';
import { answerQuestion, metricsHandlers, type QuestionHandlers } from './questions.ts';
import { RegistryEdits } from './registry/edits.ts';
import { Registry } from './registry/registry.ts';
import { TableSource } from './table-source.ts';
import { NO_TOKENS, type Workers, type WorkersOptions } from './workers.ts';

export type ControlPlaneOptions = {
  readonly config: LoadedConfig;
  readonly shared: SharedState;
  /** Id of this instance. */
  readonly instance: string;
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Gives up opening. */
  readonly signal: AbortSignal;
};

type Opened = {
  readonly accounts: Accounts | null;
  readonly tables: TableSource;
  readonly edits: RegistryEdits;
  readonly health: Health;
  readonly questions: QuestionHandlers;
  readonly log: Log;
  readonly parts: AsyncDisposableStack;
};

/** What an instance has one of. The workers serve by what it decides, and do not wait for it. */
export class ControlPlane implements AsyncDisposable {
  readonly #accounts: Accounts | null;
  readonly #tables: TableSource;
  readonly #edits: RegistryEdits;
  readonly #health: Health;
  readonly #questions: QuestionHandlers;
  readonly #log: Log;
  readonly #parts: AsyncDisposableStack;

  /** Opens everything that workers depend on; rejects with a SignalboxError, with nothing left open. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { shared, instance, isReady, clock, log, signal } = options;
    const { settings, table: configured } = options.config;
    await using parts = new AsyncDisposableStack();
    const telemetry = parts.use(
      await Telemetry.open({ settings, records: shared.records, instance, clock, log }),
    );
    const bus = parts.use(await openBus(settings.bus, clock, systemRandom, log));
    const registry = parts.use(openRegistry(options, bus));
    const resolve = settings.dnsServers.length === 0 ? resolveBySystem : resolveBy(settings.dnsServers);
    const discovery = parts.use(new Discovery({ resolve, clock, random: systemRandom, log }));
    const tables = parts.use(
      new TableSource({ configured, registry, discovery, cells: shared.upstreams, clock, log }),
    );
    const table = () => tables.table;
    const accounts = parts.use(await openAccounts(options, bus));
    // What the registry says of upstreams holds from the first request on.
    await registry.opened(signal);
    tables.refresh();
    const edits = new RegistryEdits(registry);
    const tabled = (deadlineMs: number) => tables.settled(deadlineMs);
    const inFlight = (slot: number) => shared.upstreams.inFlight(slot);
    const health = parts.use(openHealth(options, bus, registry));
    const link = settings.bus === null ? null : parts.use(openLink(options, bus, health));
    tables.onTable = (latest) => health.watch(latest);
    health.watch(table());
    const quotas = () => sharedQuotas(table());
    const instances = () => health.others().length + 1;
    parts.use(new LimitExchange({ bus, limits: shared.limits, quotas, instance, instances, clock, log }));
    const sources = [
      ...instanceSources(shared, table, clock),
      registrySource(registry),
      clusterSource(health, link),
    ];
    const metrics = new InstanceMetrics(telemetry.resource, sources, clock);
    const { newUpstream } = options.config;
    // The API's own paths win over a configured one.
    const routes = new Map([
      ...metricsRoutes(settings.metrics, metrics),
      ...probeRoutes(isReady),
      ...upstreamsRoutes({ registry, edits, table, tabled, inFlight, health, newUpstream }),
      ...clusterRoutes({ instance, version: packageFile.version, link, registry, membership: health }),
      ...requestsRoutes({ requests: telemetry.requests, traceUrl: settings.telemetry.traceUrl, clock }),
      ...logLevelRoutes(log),
      ...keysRoutes(accounts?.authority ?? null),
      ...usersRoutes(accounts?.administration ?? null),
    ]);
    const admin = await openAdmin(settings.admin, routes, log);
    parts.defer(() => {
      admin.closeAllConnections();
      admin.close();
    });
    const questions = new Map([
      ...metricsHandlers(settings.metrics.endpoint, metrics),
      ...(accounts?.questions() ?? []),
    ]);
    // So that there are upstreams to serve from, from the first request on.
    await health.settled(signal);
    return new ControlPlane({ accounts, tables, edits, health, questions, log, parts: parts.move() });
  }

  private constructor({ accounts, tables, edits, health, questions, log, parts }: Opened) {
    this.#accounts = accounts;
    this.#tables = tables;
    this.#edits = edits;
    this.#health = health;
    this.#questions = questions;
    this.#log = log;
    this.#parts = parts;
  }

  /** What workers ask for. */
  get service(): Pick<WorkersOptions, 'answer' | 'tokens' | 'onFailing'> {
    return {
      answer: (question) => answerQuestion(this.#questions, question, this.#log),
      tokens: this.#accounts?.news ?? NO_TOKENS,
      onFailing: (slot, kind) => this.#health.onFailing(slot, kind),
    };
  }

  /** What workers start with. */
  get table(): Table {
    return this.#tables.table;
  }

  /** Tells the workers what changes from now on; to be called before they start. */
  direct(workers: Workers): void {
    this.#tables.onTable = (table) => {
      // First, so that a new upstream is out until it has been checked.
      this.#health.watch(table);
      workers.publish(table);
    };
    const accounts = this.#accounts;
    if (accounts === null) return;
    accounts.authority.onChange = () => workers.announceKeyring();
    accounts.onRevoked = (revoked) => workers.announceRevoked(revoked);
  }

  /** Makes the registry what the pools of a configuration list. Never rejects. */
  async apply({ file, table }: LoadedConfig): Promise<void> {
    try {
      const { add, change, remove } = await this.#edits.apply(draftsIn(table));
      const counts = { added: add.length, changed: change.length, removed: remove.length };
      this.#log.info(counts, 'registry: it is as %s says now; all else in it takes a restart', file);
    } catch (error) {
      this.#log.error({ reason: messageOf(error) }, 'registry: %s could not be applied', file);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

function openRegistry({ config, instance, clock, log }: ControlPlaneOptions, bus: Bus): Registry {
  const { file, table } = config;
  return new Registry({ bus, instance, configured: draftsIn(table), file, clock, log });
}

function draftsIn(table: Table): UpstreamDraft[] {
  return Object.values(table.pools).flatMap(({ upstreams }) => upstreams.map(draftOf));
}

function openHealth(options: ControlPlaneOptions, bus: Bus, registry: Registry): Health {
  const { config, instance, shared, clock, log } = options;
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

function openLink({ clock, log }: ControlPlaneOptions, bus: Bus, health: Health): BusLink {
  return new BusLink({ bus, roundMs: HEARTBEAT_MS, onOpen: () => health.resync(), clock, log });
}

async function openAccounts(options: ControlPlaneOptions, bus: Bus): Promise<Accounts | null> {
  const { config, instance, clock, log, signal } = options;
  const { settings } = config;
  const { jwt, accounts, database, limits } = settings;
  if (jwt === null) return null;
  const { ipv6PrefixBits } = limits;
  // With all that it needs: the database's client, the signing of tokens.
  const { Accounts } = await import('#accounts/accounts.ts');
  const cores = availableParallelism();
  return Accounts.open({ jwt, accounts, database, ipv6PrefixBits, bus, instance, cores, clock, log, signal });
}

async function openAdmin(settings: AdminSettings, routes: AdminRoutes, log: Log): Promise<Server> {
  try {
    return await startAdminServer(settings, routes, log);
  } catch (error) {
    throw portError('admin listener (admin.listen)', settings.address, settings.port, error);
  }
}
