/** A configuration file → what an instance starts with. */

import { hash } from 'node:crypto';
import { availableParallelism, hostname, totalmem } from 'node:os';
import { dirname } from 'node:path';
import { type Clock, systemClock } from '#core/clock.ts';
import type { Settings } from '#core/settings.ts';
import type { Table } from '#core/table.ts';
import { mistakesInCluster } from './build/cluster.ts';
import { mistakesInSecrets } from './build/jwt.ts';
import { type NewUpstream, newUpstreams } from './build/new-upstream.ts';
import { readOtel } from './build/otel.ts';
import { buildServerTls } from './build/server-tls.ts';
import { buildSettings, type Surroundings } from './build/settings.ts';
import { buildTable } from './build/table.ts';
import { mistakesInBusFiles } from './bus-files.ts';
import { readCaFiles } from './ca-files.ts';
import { mistakesInCertificates } from './certificate-files.ts';
import { readDenylist } from './denylist-file.ts';
import { ConfigError, type Diagnostic, type Position } from './diagnostics.ts';
import type { Environment } from './env.ts';
import { readTextFile } from './files.ts';
import { explainIssues, publicPath, UNWORDED } from './issues.ts';
import { type Remark, warningsAbout } from './remarks.ts';
import { type Config, ConfigSchema } from './schema.ts';
import { Source } from './source.ts';
import { parseSyntax } from './syntax.ts';

export type LoadedConfig = {
  /** As it was named. */
  readonly file: string;
  /** Of the file's text: 16 hexadecimal digits. */
  readonly checksum: string;
  /** Every setting, secrets included: never to be shown. */
  readonly values: Config;
  readonly settings: Settings;
  readonly table: Table;
  readonly newUpstream: NewUpstream;
  /** What works, but not as its writer may think. */
  readonly warnings: readonly Diagnostic[];
};

const CHECKSUM_DIGITS = 16;

/**
 * Reads, checks and builds a configuration; `${VAR}` in it expands from `env`. Throws a `ConfigError` with
 * everything that is wrong with it, and nothing else. `clock` tells which certificates have expired.
 */
export function loadConfig(file: string, env: Environment, clock: Clock = systemClock): LoadedConfig {
  const read = readTextFile(file);
  if ('problem' in read) throw new ConfigError([errorIn(file, `cannot use this file: ${read.problem}`)]);

  const syntax = parseSyntax(read.text);
  if ('mistakes' in syntax) {
    throw new ConfigError(syntax.mistakes.map((mistake) => ({ ...errorIn(file, ''), ...mistake })));
  }
  const source = new Source(syntax, env);
  const folder = dirname(file);
  const caFiles = readCaFiles(source.data, folder);
  // An empty file is an empty section: what it lacks says more than that it is empty.
  const result = ConfigSchema.safeParse(source.data ?? {}, { error: () => UNWORDED });
  const at = (severity: Diagnostic['severity']) => (remark: Remark & { readonly position?: Position }) => ({
    severity,
    file,
    position: source.positionOf(remark.path),
    ...remark,
    path: publicPath(remark.path),
  });
  const mistakes = [
    ...source.mistakes,
    ...caFiles.mistakes,
    ...explainIssues(result.error?.issues ?? [], source),
  ];
  if (!result.success || mistakes.length > 0) throw new ConfigError(mistakes.map(at('error')));

  const config = result.data;
  const environment = [
    ...mistakesInSecrets(config, env),
    ...mistakesInCluster(config, env),
    ...readOtel(env).mistakes,
  ];
  if (environment.length > 0) throw new ConfigError(environment.map((message) => errorIn(file, message)));
  const denylist = readDenylist(config, folder);
  const files = [
    ...denylist.mistakes,
    ...mistakesInBusFiles(config, folder),
    ...mistakesInCertificates(buildServerTls(config.server.tls, folder), clock.wallMs()),
  ];
  if (files.length > 0) throw new ConfigError(files.map(at('error')));
  return {
    file,
    checksum: hash('sha256', read.text).slice(0, CHECKSUM_DIGITS),
    values: config,
    settings: buildSettings(config, { ...machine(), env, folder, commonPasswords: denylist.passwords }),
    table: buildTable(config, caFiles.pemByName),
    newUpstream: newUpstreams(config, caFiles.pemByName),
    warnings: warningsAbout(config).map(at('warning')),
  };
}

/** What the process runs on, as far as settings depend on it. */
function machine(): Pick<Surroundings, 'cores' | 'memoryBytes' | 'host'> {
  return {
    cores: availableParallelism(),
    // A process without a limit of its own is told of far more than there is.
    memoryBytes: Math.min(totalmem(), process.constrainedMemory() || Infinity),
    host: hostname(),
  };
}

function errorIn(file: string, message: string): Diagnostic {
  return { severity: 'error', file, position: null, path: '', message };
}
