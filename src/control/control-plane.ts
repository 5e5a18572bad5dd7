import type { Server } from 'node:http';
import { availableParallelism } from 'node:os';
import { Accounts } from '#accounts/accounts.ts';
import type { AdminRoutes } from '#admin/api.ts';
import { keysRoutes } from '#admin/keys.ts';
import { metricsRoutes } from '#admin/metrics.ts';
import { adminRoutes } from '#admin/routes.ts';
import { startAdminServer } from '#admin/server.ts';
import { usersRoutes } from '#admin/users.ts';
import type { Bus } from '#bus/contract.ts';
import { MemoryBus } from '#bus/memory.ts';
import type { Clock } from '#core/clock.ts';
import type { AdminSettings, Settings } from '#core/settings.ts';
import { sharedQuotas, type Table } from '#core/table.ts';
import type { SharedState } from '#shared/state.ts';
import type { Log } from '#telemetry/log.ts';
import { InstanceMetrics } from '#telemetry/metric-producer.ts';
import { instanceSources } from '#telemetry/metric-sources.ts';
import { LimitExchange } from './limit-exchange.ts';
import { portError } from './port.ts';
import { answerQuestion, metricsHandlers, type QuestionHandlers } from './questions.ts';
import { NO_TOKENS, type Workers, type WorkersOptions } from './workers.ts';

export type ControlPlaneOptions = {
  readonly settings: Settings;
  /** What the configuration file says. */
  readonly table: Table;
  readonly shared: SharedState;
  /** Id of this instance. */
  readonly instance: string;
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Gives up opening. */
  readonly signal: AbortSignal;
};

/** What an instance has one of. The workers serve by what it decides, and do not wait for it. */
export class ControlPlane implements AsyncDisposable {
  readonly #accounts: Accounts | null;
  readonly #questions: QuestionHandlers;
  readonly #log: Log;
  readonly #parts: AsyncDisposableStack;

  /** Opens everything that workers depend on; rejects with a SignalboxError, with nothing left open. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { settings, table, shared, clock, log } = options;
    await using parts = new AsyncDisposableStack();
    const metrics = new InstanceMetrics(
      options.instance,
      instanceSources(shared, () => table, clock),
      clock,
    );
    const bus = parts.use(new MemoryBus({ clock, log }));
    const accounts = parts.use(await openAccounts(options, bus));
    const { instance, isReady } = options;
    const quotas = () => sharedQuotas(table);
    parts.use(new LimitExchange({ bus, limits: shared.limits, quotas, instance, clock, log }));
    const view = { instance, isReady, table: () => table, upstreams: shared.upstreams, clock };
    // The API's own paths win over a configured one.
    const routes = new Map([
      ...metricsRoutes(settings.metrics, metrics),
      ...adminRoutes(view),
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
    return new ControlPlane(accounts, questions, log, parts.move());
  }

  private constructor(
    accounts: Accounts | null,
    questions: QuestionHandlers,
    log: Log,
    parts: AsyncDisposableStack,
  ) {
    this.#accounts = accounts;
    this.#questions = questions;
    this.#log = log;
    this.#parts = parts;
  }

  /** What workers ask for. */
  get service(): Pick<WorkersOptions, 'answer' | 'tokens' | 'onFailing'> {
    return {
      answer: (question) => answerQuestion(this.#questions, question, this.#log),
      tokens: this.#accounts?.news ?? NO_TOKENS,
      // Nothing is made of it yet.
      onFailing: () => {},
    };
  }

  /** Tells the workers what changes from now on, and what has changed while they started. */
  direct(workers: Workers): void {
    const accounts = this.#accounts;
    if (accounts === null) return;
    accounts.authority.onChange = () => workers.announceKeyring();
    accounts.onRevoked = (sessions) => workers.announceRevoked(sessions);
    workers.announceKeyring();
    workers.announceRevoked(accounts.news.revoked());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

async function openAccounts(options: ControlPlaneOptions, bus: Bus): Promise<Accounts | null> {
  const { settings, instance, clock, log, signal } = options;
  const { jwt, accounts, database } = settings;
  if (jwt === null) return null;
  const cores = availableParallelism();
  return Accounts.open({ jwt, accounts, database, bus, instance, cores, clock, log, signal });
}

async function openAdmin(settings: AdminSettings, routes: AdminRoutes, log: Log): Promise<Server> {
  try {
    return await startAdminServer(settings, routes, log);
  } catch (error) {
    throw portError('admin listener (admin.listen)', settings.address, settings.port, error);
  }
}
