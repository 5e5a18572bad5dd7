import { availableParallelism } from 'node:os';
import type { Accounts } from '#accounts/accounts.ts';
import { clusterRoutes } from '#admin/cluster.ts';
import { keysRoutes } from '#admin/keys.ts';
import { logLevelRoutes } from '#admin/log-level.ts';
import { metricsRoutes } from '#admin/metrics.ts';
import { reloadRoutes } from '#admin/reload.ts';
import { requestsRoutes } from '#admin/requests.ts';
import { probeRoutes } from '#admin/routes.ts';
import { upstreamsRoutes } from '#admin/upstreams.ts';
import { usersRoutes } from '#admin/users.ts';
import type { Bus } from '#bus/contract.ts';
import type { NewUpstream } from '#config/build/new-upstream.ts';
import { systemEnvironment } from '#config/env.ts';
import { loadConfig } from '#config/load.ts';
import { systemRandom } from '#core/random.ts';
import type { Table } from '#core/table.ts';
import type { Log } from '#telemetry/log.ts';
import {
  certificateSource,
  clusterSource,
  configSource,
  instanceSources,
  limitSource,
  registrySource,
} from '#telemetry/metric-sources.ts';
import { MetricsText } from '#telemetry/metrics-text.ts';
import { Telemetry } from '#telemetry/telemetry.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { AdminListener } from './admin-listener.ts';
import { Certificates } from './certificates.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { openBus } from './open-bus.ts';
import { answerQuestion, metricsHandlers, type QuestionHandlers } from './questions.ts';
import { Reloads } from './reloads.ts';
import { NO_TOKENS, type Workers, type WorkersOptions } from './workers.ts';

export type ControlPlaneOptions = ClusterOptions & {
  readonly isReady: () => boolean;
  /** Whether the admin listener waits for another instance to let go of the port. */
  readonly isTakeover: boolean;
};

type Opened = {
  readonly accounts: Accounts | null;
  readonly certificates: Certificates | null;
  readonly cluster: Cluster;
  readonly questions: QuestionHandlers;
  readonly reloads: Reloads;
  readonly log: Log;
  readonly parts: AsyncDisposableStack;
};

/** What an instance has one of. The workers serve by what it decides, and do not wait for it. */
export class ControlPlane implements AsyncDisposable {
  readonly #accounts: Accounts | null;
  readonly #certificates: Certificates | null;
  readonly #cluster: Cluster;
  readonly #questions: QuestionHandlers;
  readonly #reloads: Reloads;
  readonly #log: Log;
  readonly #parts: AsyncDisposableStack;

  /** Opens everything that workers depend on; rejects with a SignalboxError, with nothing left open. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { shared, instance, isReady, isTakeover, clock, log, signal } = options;
    const { settings } = options.config;
    await using parts = new AsyncDisposableStack();
    const { tls } = settings.server;
    const certificates = tls === null ? null : parts.use(new Certificates(tls, clock, log));
    const telemetry = parts.use(await Telemetry.open({ settings, shared, instance, clock, log }));
    const bus = parts.use(await openBus(settings.bus, clock, systemRandom, log));
    const cluster = parts.use(await Cluster.open(options, bus));
    const accounts = parts.use(await openAccounts(options, bus));
    const { registry, edits, tables, health, link, limits } = cluster;
    const reloads = openReloads(options, cluster, accounts);
    const newUpstream: NewUpstream = (pool, given) => reloads.config.newUpstream(pool, given);
    const table = () => tables.table;
    const tabled = (deadlineMs: number) => tables.settled(deadlineMs);
    const inFlight = (slot: number) => shared.upstreams.inFlight(slot);
    const sources = [
      ...instanceSources(shared, table, clock),
      telemetry.metrics,
      registrySource(registry),
      certificateSource(certificates, clock),
      clusterSource(health, link),
      configSource(reloads),
      limitSource(shared.limits, limits, clock),
    ];
    const metrics = new MetricsText(settings.telemetry.resource, instance, sources, clock);
    const { version } = packageFile;
    // The API's own paths win over a configured one.
    const routes = new Map([
      ...metricsRoutes(settings.metrics, metrics),
      ...probeRoutes(isReady),
      ...upstreamsRoutes({ registry, edits, table, tabled, inFlight, health, newUpstream }),
      ...clusterRoutes({ instance, version, link, registry, membership: health, config: reloads }),
      ...reloadRoutes({ reloads, tabled }),
      ...requestsRoutes({ requests: telemetry.requests, traceUrl: settings.telemetry.traceUrl, clock }),
      ...logLevelRoutes(log),
      ...keysRoutes(accounts?.authority ?? null),
      ...usersRoutes(accounts?.administration ?? null),
    ]);
    parts.use(await AdminListener.open({ settings: settings.admin, routes, isTakeover, clock, log }));
    const questions = new Map([
      ...metricsHandlers(settings.metrics.endpoint, metrics),
      ...(accounts?.questions() ?? []),
    ]);
    // So that there are upstreams to serve from, from the first request on.
    await health.settled(signal);
    return new ControlPlane({
      accounts,
      certificates,
      cluster,
      questions,
      reloads,
      log,
      parts: parts.move(),
    });
  }

  private constructor({ accounts, certificates, cluster, questions, reloads, log, parts }: Opened) {
    this.#accounts = accounts;
    this.#certificates = certificates;
    this.#cluster = cluster;
    this.#questions = questions;
    this.#reloads = reloads;
    this.#log = log;
    this.#parts = parts;
  }

  /** What workers ask for. */
  get service(): Pick<WorkersOptions, 'answer' | 'tokens' | 'tls' | 'onFailing'> {
    return {
      answer: (question) => answerQuestion(this.#questions, question, this.#log),
      tokens: this.#accounts?.news ?? NO_TOKENS,
      tls: () => this.#certificates?.material ?? null,
      onFailing: (slot, kind) => this.#cluster.health.onFailing(slot, kind),
    };
  }

  /** What workers start with. */
  get table(): Table {
    return this.#cluster.tables.table;
  }

  /** Tells the workers what changes from now on; to be called before they start. */
  direct(workers: Workers): void {
    const { tables, health } = this.#cluster;
    tables.onTable = (table) => {
      // First, so that a new upstream is out until it has been checked.
      health.watch(table);
      workers.publish(table);
    };
    this.#certificates?.watch((material) => workers.announceTls(material));
    const accounts = this.#accounts;
    if (accounts === null) return;
    accounts.authority.onChange = () => workers.announceKeyring();
    accounts.onRevoked = (revoked) => workers.announceRevoked(revoked);
  }

  /** Puts the configuration file, as it is now, into effect. Never rejects: the log says what came of it. */
  async reload(): Promise<void> {
    await this.#reloads.reload().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

function openReloads(
  { config, clock, log }: ControlPlaneOptions,
  cluster: Cluster,
  accounts: Accounts | null,
): Reloads {
  return new Reloads({
    config,
    load: () => loadConfig(config.file, systemEnvironment()),
    reconfigure: (table) => cluster.reconfigure(table),
    trust: accounts && ((issuers) => accounts.authority.trust(issuers)),
    clock,
    log,
  });
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
