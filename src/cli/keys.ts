import { z } from 'zod';
import { systemClock } from '#core/clock.ts';
import { ADMIN_HELP, askAdmin, DEFAULT_ADMIN } from './admin-client.ts';
import { parseArguments } from './arguments.ts';
import { EXIT, type ExitCode, usageError } from './exit.ts';
import { formatTable } from './text-table.ts';

export const help = `Usage: signalbox keys list [--admin URL]
       signalbox keys rotate [--admin URL]

Shows the keys that sign access tokens, or makes a new one. A new key is published for ten minutes before
it signs, so that everybody knows it by then; the old one verifies until the last token that it signed has
expired. Nobody has to log in again.

${ADMIN_HELP}`;

const KeyList = z.object({
  keys: z.array(
    z.object({
      kid: z.string(),
      algorithm: z.string(),
      state: z.string(),
      encrypted: z.boolean(),
      activates_at_ms: z.number(),
      retires_at_ms: z.number().nullable(),
    }),
  ),
});

export async function run(args: readonly string[]): Promise<ExitCode> {
  const { values, positionals } = parseArguments('keys', {
    args: [...args],
    options: { admin: { type: 'string', default: DEFAULT_ADMIN } },
    allowPositionals: true,
  });
  const [action] = positionals;
  if (positionals.length !== 1 || (action !== 'list' && action !== 'rotate')) {
    throw usageError('say `signalbox keys list` or `signalbox keys rotate`');
  }
  const { keys } =
    action === 'list'
      ? await askAdmin(values.admin, 'GET', '/api/keys', KeyList)
      : await askAdmin(values.admin, 'POST', '/api/keys/rotate', KeyList);
  const nowMs = systemClock.wallMs();
  const rows = keys.map((it) => [
    it.kid,
    it.algorithm,
    it.state,
    it.encrypted ? 'yes' : 'no',
    it.activates_at_ms === 0 ? '' : timeOf(it.activates_at_ms, nowMs),
    it.retires_at_ms === null ? '' : timeOf(it.retires_at_ms, nowMs),
  ]);
  console.log(formatTable(['kid', 'algorithm', 'state', 'encrypted', 'signs', 'ends'], rows));
  return EXIT.ok;
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** A point in time as seen from now, in its largest unit: `in 10 min`, `3 d ago`. */
function timeOf(ms: number, nowMs: number): string {
  const distanceMs = Math.abs(ms - nowMs);
  const [unit, unitMs] = UNITS.find(([, each]) => distanceMs >= each) ?? ['s', 1000];
  const distance = `${Math.round(distanceMs / unitMs)} ${unit}`;
  return ms > nowMs ? `in ${distance}` : `${distance} ago`;
}
