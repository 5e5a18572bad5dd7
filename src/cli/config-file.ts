import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatDiagnostics } from '#config/diagnostics.ts';
import { systemEnvironment } from '#config/env.ts';
import { type LoadedConfig, loadConfig } from '#config/load.ts';

const DEFAULT_FILE = 'config/proxy.yaml';
const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** The file given, or the default one: where the command is run, or else where Signalbox is installed. */
export function configFile(given: string | undefined): string {
  if (given !== undefined) return given;
  return existsSync(DEFAULT_FILE) ? DEFAULT_FILE : join(PROJECT, DEFAULT_FILE);
}

/** Loads what an instance could start with and prints its warnings; throws a ConfigError for all else. */
export function readConfig(file: string): LoadedConfig {
  const config = loadConfig(file, systemEnvironment());
  if (config.warnings.length > 0) console.error(formatDiagnostics(config.warnings));
  return config;
}
