import { writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, pino } from 'pino';
import type { LogSettings } from '#core/settings.ts';

export type Log = Logger;

export type LogTarget = {
  /** File descriptor. */
  readonly fd: number;
  /** Whether people read it, rather than programs. */
  readonly isTerminal: boolean;
};

// Only where people read: pino-pretty takes 20 ms of a start.
const require = createRequire(import.meta.url);

const STANDARD_ERROR: LogTarget = { fd: 2, isTerminal: isatty(2) };

/** Structured log of the process's life and problems: JSON, or text on a terminal. */
export function createLog(settings: Pick<LogSettings, 'level'>, target = STANDARD_ERROR): Log {
  return pino({ level: settings.level, base: null }, destination(target));
}

/** Writes each line at once, so that the last ones before an end are there, too. */
function destination({ fd, isTerminal }: LogTarget): DestinationStream {
  if (!isTerminal) return { write: (line) => writeLine(fd, line) };
  const { prettyFactory } = require('pino-pretty') as typeof import('pino-pretty');
  const readable = prettyFactory({ colorize: true, translateTime: 'SYS:HH:MM:ss.l' });
  return { write: (line) => writeLine(fd, readable(line)) };
}

/** A full disk or a reader that has gone costs lines of the log, and must not cost the requests. */
function writeLine(fd: number, line: string): void {
  const bytes = Buffer.from(line);
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
  } catch {
    // There is nobody left to tell.
  }
}
