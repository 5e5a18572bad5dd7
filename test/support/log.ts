import { pino } from 'pino';
import type { Log } from '#telemetry/log.ts';

/** A log whose lines can be read. */
export function keptLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  return { log: pino({ base: null }, { write: (line) => lines.push(line) }), lines };
}
