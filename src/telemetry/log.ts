import { type DestinationStream, type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import type { LogSettings } from '#core/settings.ts';

export type Log = Logger;

/** Structured log of the process's life and problems, on standard error: JSON, or text on a terminal. */
export function createLog(settings: LogSettings): Log {
  return pino({ level: settings.level, base: null }, destination());
}

function destination(): DestinationStream {
  if (!process.stderr.isTTY) {
    const stream = pino.destination({ dest: 2, sync: true });
    // A full disk costs lines of the log, and must not cost the requests.
    stream.on('error', () => {});
    return stream;
  }
  return pretty({ destination: 2, sync: true, colorize: true, translateTime: 'SYS:HH:MM:ss.l' });
}
