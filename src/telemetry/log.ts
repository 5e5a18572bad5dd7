import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogSettings } from '#core/settings.ts';

export type Log = Logger;

/** Structured log of the process's life and problems, on standard error: JSON, or text on a terminal. */
export function createLog(settings: LogSettings): Log {
  return pino({ level: settings.level, base: null }, destination());
}

function destination(): DestinationStream {
  if (!process.stderr.isTTY) return pino.destination({ dest: 2, sync: true });
  return pretty({ destination: 2, sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss.l' });
}
