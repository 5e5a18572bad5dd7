import { availableParallelism } from 'node:os';
import type { Accounts } from '#accounts/accounts.ts';
import type { Bus } from '#bus/contract.ts';
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
import { AdminListener } from './admin-listener.ts';
import { adminRoutes } from './admin-routes.ts';
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

type Parts = {
  readonly accounts: Accounts | null;
  readonly certificates: Certificates | null;
  readonly cluster: Cluster;
  readonly questions: QuestionHandlers;
  readonly reloads: Reloads;
  readonly log: Log;
};

/** What an instance has one of. The workers serve by what it decides, and do not wait for it. */
export class ControlPlane implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #stack: AsyncDisposableStack;

  /** Opens everything that workers depend on; rejects with a SignalboxError, with nothing left open. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { shared, instance, isTakeover, clock, log, signal } = options;
    const { settings } = options.config;
    await using stack = new AsyncDisposableStack();
    const { tls } = settings.server;
    const certificates = tls === null ? null : stack.use(new Certificates(tls, clock, log));
    const telemetry = stack.use(await Telemetry.open({ settings, shared, instance, clock, log }));
    const bus = stack.use(await openBus(settings.bus, clock, systemRandom, log));
    const cluster = stack.use(await Cluster.open(options, bus));
    const accounts = stack.use(await openAccounts(options, bus));
    const reloads = openReloads(options, cluster, accounts);
    const { registry, tables, health, link, limits } = cluster;
    const sources = [
      ...instanceSources(shared, () => tables.table, clock),
      telemetry.metrics,
      registrySource(registry),
      certificateSource(certificates, clock),
      clusterSource(health, link),
      configSource(reloads),
      limitSource(shared.limits, limits, clock),
    ];
    const metrics = new MetricsText(settings.telemetry.resource, instance, sources, clock);
    const { requests } = telemetry;
    const routes = adminRoutes({ ...options, cluster, accounts, reloads, metrics, requests });
    stack.use(await AdminListener.open({ settings: settings.admin, routes, isTakeover, clock, log }));
    const questions = new Map([
      ...metricsHandlers(settings.metrics.endpoint, metrics),
      ...(accounts?.questions() ?? []),
    ]);
    // So that there are upstreams to serve from, from the first request on.
    await health.settled(signal);
    return new ControlPlane({ accounts, certificates, cluster, questions, reloads, log }, stack.move());
  }

  private constructor(parts: Parts, stack: AsyncDisposableStack) {
    this.#parts = parts;
    this.#stack = stack;
  }

  /** What workers ask for. */
  get service(): Pick<WorkersOptions, 'answer' | 'tokens' | 'tls' | 'onFailing'> {
    const { accounts, certificates, cluster, questions, log } = this.#parts;
    return {
      answer: (question) => answerQuestion(questions, question, log),
      tokens: accounts?.news ?? NO_TOKENS,
      tls: () => certificates?.material ?? null,
      onFailing: (slot, kind) => cluster.health.onFailing(slot, kind),
    };
  }

  /** What workers start with. */
  get table(): Table {
    return this.#parts.cluster.tables.table;
  }

  /** Tells the workers what changes from now on; to be called before they start. */
  direct(workers: Workers): void {
    const { accounts, certificates, cluster } = this.#parts;
    const { tables, health } = cluster;
    tables.onTable = (table) => {
      // First, so that a new upstream is out until it has been checked.
      health.watch(table);
      workers.publish(table);
    };
    certificates?.watch((material) => workers.announceTls(material));
    if (accounts === null) return;
    accounts.authority.onChange = () => workers.announceKeyring();
    accounts.onRevoked = (revoked) => workers.announceRevoked(revoked);
  }

  /** Puts the configuration file, as it is now, into effect. Never rejects: the log says what came of it. */
  async reload(): Promise<void> {
    await this.#parts.reloads.reload().catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
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
