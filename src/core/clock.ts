/**
 * Time as a dependency. Everything that needs the time or a timer takes a `Clock`, so that tests can
 * run hours in milliseconds; only this file touches the platform's clocks.
 */

import { performance } from 'node:perf_hooks';
import { TimerLists } from './timer-lists.ts';

export type Timer = {
  /** Idempotent; a timer that has fired is cancelled already. */
  cancel(): void;
};

/** What a timer or deadline is for. */
export interface Sleeper {
  wake(): void;
}

export interface Clock {
  /**
   * Milliseconds, fractional, of the machine's monotonic clock. Never steps back, and reads the same in
   * every thread of a process, so it may be stored in shared memory. Means nothing outside the machine.
   * Within a callback that is `atOnce`, always the same.
   */
  monotonicMs(): number;

  /** Milliseconds since the Unix epoch. May step; only for what is shown or sent to others. */
  wallMs(): number;

  /**
   * Runs `action` once after `delayMs`, when what has come to the thread's sockets by then has been read, and what
   * that led to at once is written. The timer alone does not keep the process alive.
   */
  after(delayMs: number, action: () => void): Timer;

  /** The same with an object, which may be there already: for each request, there is none to make for its timers. */
  wakeAfter(delayMs: number, sleeper: Sleeper): Timer;
}

// Imported, since the global of that name is looked up anew each time, which costs as much as the reading.
// performance.now() counts from the start of its own thread; hrtime is common to all of them. What passes
// between the two readings makes the start look earlier, so the latest of some is the truest.
const threadStartMs = Math.max(
  ...Array.from({ length: 16 }, () => Number(process.hrtime.bigint()) / 1e6 - performance.now()),
);

let standsStill = false;
/** What the clock reads in the callback under way, if that stands still; 0 before it is read there, and in others. */
let stillMs = 0;

function readMs(): number {
  return threadStartMs + performance.now();
}

function monotonicMs(): number {
  if (stillMs !== 0) return stillMs;
  const nowMs = readMs();
  if (standsStill) stillMs = nowMs;
  return nowMs;
}

/** The wall clock as it was read last in a callback that stands still, and when. */
let lastWallMs = 0;
let wallReadMs = -Infinity;

function wallMs(): number {
  if (!standsStill) return Date.now();
  const nowMs = monotonicMs();
  if (nowMs - wallReadMs < 1) return lastWallMs;
  wallReadMs = nowMs;
  lastWallMs = Date.now();
  return lastWallMs;
}

const timers = new TimerLists({
  monotonicMs,
  wakeAfter: (delayMs, wake) => void setTimeout(wake, delayMs).unref(),
  // The first turn reads, and writes at its end what that led to.
  afterReads: (action) => void setImmediate(() => setImmediate(action)),
});

export const systemClock: Clock = {
  monotonicMs,
  wallMs,
  after: (delayMs, action) => timers.after(delayMs, action),
  wakeAfter: (delayMs, sleeper) => timers.wakeAfter(delayMs, sleeper),
};

/** The same with timers that wait for no sockets: for who asks how late the thread is. Each is one of the platform's. */
export const punctualClock: Clock = {
  monotonicMs,
  wallMs,
  after: punctually,
  wakeAfter: (delayMs, sleeper) => punctually(delayMs, () => sleeper.wake()),
};

function punctually(delayMs: number, action: () => void): Timer {
  const timer = setTimeout(action, delayMs).unref();
  return { cancel: () => clearTimeout(timer) };
}

/**
 * A callback of the event loop to which all that it does is of one moment: while it runs, the system clock's monotonic
 * time stands still at its first reading. So nothing there is stale by more than the callback, and time steps back
 * nowhere; the wall clock is that of the last millisecond. Measured: a request reads the clock a dozen times, which was
 * 6 % of what it cost. Not for what is long at work; what it awaits is a callback of its own.
 */
export function atOnce<Argument, Result>(
  callback: (argument: Argument) => Result,
): (argument: Argument) => Result {
  return (argument) => {
    if (standsStill) return callback(argument);
    standsStill = true;
    try {
      return callback(argument);
    } finally {
      standsStill = false;
      stillMs = 0;
    }
  };
}

/** For a wait that nothing cuts short. */
export const NEVER = new AbortController().signal;

/** Resolves after `delayMs`, or at once when `signal` aborts: a wait is never a reason to hang. */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const wake = () => {
      timer.cancel();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const timer = clock.after(delayMs, wake);
    signal.addEventListener('abort', wake, { once: true });
  });
}
