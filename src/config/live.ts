import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { formatPath, type Path } from './diagnostics.ts';
import type { Config } from './schema.ts';
import { membersOf, schemaAt } from './walk.ts';

/**
 * The settings that a reload puts into effect, with all that is below them. Whatever is not listed here takes a
 * restart: a reload says so by name when it has changed.
 */
const LIVE_SETTINGS = [
  'load_balancing',
  'pools',
  'middleware',
  'routes',
  'retry',
  'timeouts',
  'headers',
  'health',
  // What routes take of the server's section, as long as they say nothing else.
  'server.body_bytes_max',
  'server.body_rate_min',
  'server.response_rate_min',
  'jwt.issuers',
  'log.level',
  'redis',
] as const;

/** Whether a reload puts into effect what stands at `path`, such as `routes[].auth` or `log.level`. */
export function isLive(path: string): boolean {
  return LIVE_SETTINGS.some((live) => path.startsWith(live) && /^(?:$|[.[])/.test(path.slice(live.length)));
}

/** By path: what a restart with `next` changes of an instance that was started with `started`, and no reload does. */
export function settingsAwaitingRestart(started: Config, next: Config): string[] {
  return differences(started, next, []).filter((path) => !isLive(path));
}

function differences(before: unknown, after: unknown, path: Path): string[] {
  if (isDeepStrictEqual(before, after)) return [];
  const isSection = path.length === 0 || membersAt(path).some((member) => member instanceof z.ZodObject);
  if (!isSection || !isObject(before) || !isObject(after)) return [formatPath(path)];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
}

function membersAt(path: Path) {
  const schema = schemaAt(path);
  return schema === null ? [] : membersOf(schema);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
