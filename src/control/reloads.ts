import { ConfigError, formatDiagnostics } from '#config/diagnostics.ts';
import { settingsAwaitingRestart } from '#config/live.ts';
import type { LoadedConfig } from '#config/load.ts';
import type { IssuerSettings } from '#core/account-settings.ts';
import type { Clock } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import type { Plan } from '#core/registry/plan.ts';
import type { Table } from '#core/table.ts';
import type { Log } from '#telemetry/log.ts';

/** What came of a reload that was not refused. */
export type Reloaded = {
  readonly config: LoadedConfig;
  /** What it changed of the registry. */
  readonly upstreams: Plan;
  /** Settings, by path, that differ from those that the instance was started with, and take a restart. */
  readonly awaitingRestart: readonly string[];
};

/** Which configuration is in effect. */
export type ConfigReport = {
  readonly file: string;
  readonly checksum: string;
  /** When it was put into effect: wall clock, milliseconds. */
  readonly sinceMs: number;
  /** Whether the latest reload was refused. */
  readonly isLastRefused: boolean;
  readonly applied: number;
  readonly refused: number;
};

export type ReloadsOptions = {
  /** What the instance was started with. */
  readonly config: LoadedConfig;
  /** Reads the file again; throws a ConfigError. */
  readonly load: () => LoadedConfig;
  /** Serves by this table from now on; rejects with a RegistryError if it cannot. */
  readonly reconfigure: (table: Table) => Promise<Plan>;
  /** Whose tokens are accepted beside own ones; null on an instance that has no accounts. */
  readonly trust: ((issuers: readonly IssuerSettings[]) => void) | null;
  readonly clock: Clock;
  readonly log: Log;
};

/** Puts the configuration file, as it is by then, into effect while the instance runs: all of it, or nothing. */
export class Reloads {
  readonly #options: ReloadsOptions;
  #config: LoadedConfig;
  #sinceMs: number;
  #isLastRefused = false;
  #applied = 0;
  #refused = 0;
  #underWay: Promise<unknown> = Promise.resolve();
  #waiting: Promise<Reloaded> | null = null;

  constructor(options: ReloadsOptions) {
    this.#options = options;
    this.#config = options.config;
    this.#sinceMs = options.clock.wallMs();
  }

  /** What is in effect, settings that take a restart apart. */
  get config(): LoadedConfig {
    return this.#config;
  }

  get report(): ConfigReport {
    const { file, checksum } = this.#config;
    return {
      file,
      checksum,
      sinceMs: this.#sinceMs,
      isLastRefused: this.#isLastRefused,
      applied: this.#applied,
      refused: this.#refused,
    };
  }

  /**
   * One at a time; whoever asks while one is under way shares the one that follows. Rejects with a ConfigError or a
   * RegistryError, and then everything is served on as it was.
   */
  reload(): Promise<Reloaded> {
    this.#waiting ??= this.#underWay.then(() => {
      this.#waiting = null;
      const reloaded = this.#reload();
      this.#underWay = reloaded.catch(() => {});
      return reloaded;
    });
    return this.#waiting;
  }

  async #reload(): Promise<Reloaded> {
    const { load, reconfigure, clock } = this.#options;
    try {
      const config = load();
      this.#refuseNewAccounts(config);
      const upstreams = await reconfigure(config.table);
      this.#adopt(config);
      this.#config = config;
      this.#sinceMs = clock.wallMs();
      this.#applied++;
      this.#isLastRefused = false;
      const awaitingRestart = settingsAwaitingRestart(this.#options.config.values, config.values);
      const reloaded = { config, upstreams, awaitingRestart };
      this.#tell(reloaded);
      return reloaded;
    } catch (error) {
      this.#refused++;
      this.#isLastRefused = true;
      this.#tellRefused(error);
      throw error;
    }
  }

  /** Without accounts, no worker could verify a token, and such a route would let nobody in. */
  #refuseNewAccounts({ file, settings }: LoadedConfig): void {
    if (settings.jwt === null || this.#options.trust !== null) return;
    const message =
      'no route had `auth_type: jwt` when this instance was started: the first one takes a restart';
    throw new ConfigError([{ severity: 'error', file, position: null, path: '', message }]);
  }

  /** What is live, and not in the table. */
  #adopt({ settings, values }: LoadedConfig): void {
    const { trust, log } = this.#options;
    if (settings.jwt !== null) trust?.(settings.jwt.issuers);
    // Another level may have been set by hand, for the time being.
    if (values.log.level !== this.#config.values.log.level) log.level = values.log.level;
  }

  #tell({ config, upstreams, awaitingRestart }: Reloaded): void {
    const { log } = this.#options;
    const { file, checksum, warnings } = config;
    const { add, change, remove } = upstreams;
    const counts = { added: add.length, changed: change.length, removed: remove.length };
    log.info({ checksum, upstreams: counts }, 'config: %s is in effect', file);
    if (warnings.length > 0) log.warn({ warnings: linesOf(warnings) }, 'config: %s has remarks', file);
    if (awaitingRestart.length > 0) {
      log.warn({ settings: awaitingRestart }, 'config: these settings have changed and take a restart');
    }
  }

  #tellRefused(error: unknown): void {
    const { config, log } = this.#options;
    const mistakes = error instanceof ConfigError ? linesOf(error.diagnostics) : [messageOf(error)];
    log.error({ mistakes }, 'config: %s cannot be used; what was served is served on', config.file);
  }
}

function linesOf(diagnostics: ConfigError['diagnostics']): string[] {
  return formatDiagnostics(diagnostics).split('\n');
}
