/** The configuration file, put into effect on request: what came of it, or all that is wrong with it. */
import { ConfigError, formatDiagnostics } from '#config/diagnostics.ts';
import { RegistryError } from '#control/registry/errors.ts';
import type { Reloaded, Reloads } from '#control/reloads.ts';
import { idOf } from '#core/registry/record.ts';
import { type AdminAnswer, type AdminRoutes, json } from './api.ts';
import { problem } from './problem.ts';

/** After which it may be worth to try again. */
const RETRY_SECONDS = 1;
/** The answer comes when requests go by what it says, or after this long. */
const TABLED_MS_MAX = 2_000;

export type ReloadView = {
  readonly reloads: Pick<Reloads, 'reload'>;
  /** Resolves when the table has all changes so far, or after `deadlineMs`. */
  readonly tabled: (deadlineMs: number) => Promise<unknown>;
};

export function reloadRoutes({ reloads, tabled }: ReloadView): AdminRoutes {
  const answer = async () => {
    try {
      const reloaded = await reloads.reload();
      await tabled(TABLED_MS_MAX);
      return json(200, describe(reloaded));
    } catch (error) {
      return refusalOf(error);
    }
  };
  return new Map([['POST /api/reload', answer]]);
}

function describe({ config, upstreams, awaitingRestart }: Reloaded) {
  const { file, checksum, warnings } = config;
  return {
    file,
    checksum,
    upstreams: {
      added: upstreams.add.map(idOf),
      changed: upstreams.change.map(idOf),
      removed: upstreams.remove.map(idOf),
    },
    awaiting_restart: awaitingRestart,
    warnings: warnings.map((warning) => formatDiagnostics([warning])),
  };
}

function refusalOf(error: unknown): AdminAnswer {
  if (error instanceof RegistryError) {
    const detail = `the configuration was not changed: ${error.message}`;
    return problem(503, detail, {}, { 'Retry-After': `${RETRY_SECONDS}` });
  }
  if (!(error instanceof ConfigError)) throw error;
  const errors = error.diagnostics.map(({ file, position, path, message }) => ({
    file,
    line: position?.line ?? null,
    column: position?.column ?? null,
    path,
    detail: message,
  }));
  const detail = `the configuration cannot be used; what was served is served on:\n${error.message}`;
  return problem(422, detail, { errors });
}
