import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { ConfigError, formatDiagnostics } from '#config/diagnostics.ts';
import type { Environment } from '#config/env.ts';
import { type LoadedConfig, loadConfig } from '#config/load.ts';

const folder = mkdtempSync(join(tmpdir(), 'signalbox-config-'));
after(() => rmSync(folder, { recursive: true }));

/** A pool, for configurations that are about something else. */
export const UPSTREAMS = 'load_balancing: {upstreams: [{address: 127.0.0.1, port: 3000}]}\n';

/** Writes a file beside the configuration, and returns its path. */
export function writeBeside(name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

export function load(text: string, env: Environment = {}): LoadedConfig {
  return loadConfig(writeBeside('proxy.yaml', text), env);
}

/** What is wrong with a configuration, a line each, as a user reads it: `line:column: path: message`. */
export function mistakesIn(text: string | Uint8Array, env: Environment = {}): string[] {
  const file = writeBeside('proxy.yaml', text);
  try {
    loadConfig(file, env);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return formatDiagnostics(error.diagnostics).replaceAll(`${file}:`, '').split('\n');
  }
}
