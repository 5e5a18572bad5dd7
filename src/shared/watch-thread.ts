import type { Clock } from '#core/clock.ts';
import type { WorkerSeries } from './metric-cells.ts';

/** How often a thread is asked whether it is in time. */
export const PROBE_MS = 50;

/** Probes from one look at the heap to the next. */
const HEAP_PROBES = 20;

export type ThreadWatch = Disposable & {
  /**
   * How long what comes now has had to wait at the least, and has for a while: milliseconds. It is no more than at the
   * probe before, so that one long pause is none; and no probe has to be made for it to grow.
   */
  lagMs(nowMs: number): number;
};

/**
 * Watches the thread that it runs in: how late it is with what is due, and how much of its heap is used, as
 * `heapBytes` tells.
 */
export function watchThread(
  { loopDelay, heapUsed }: Pick<WorkerSeries, 'loopDelay' | 'heapUsed'>,
  thread: string,
  heapBytes: () => number,
  clock: Clock,
): ThreadWatch {
  const delayRow = loopDelay.row([thread]);
  const heapRow = heapUsed.row([thread]);
  let probes = 0;
  let dueMs = 0;
  let lastLateMs = 0;
  const next = () => {
    dueMs = clock.monotonicMs() + PROBE_MS;
    if (probes++ % HEAP_PROBES === 0) heapUsed.set(heapRow, heapBytes());
    return clock.after(PROBE_MS, () => {
      lastLateMs = Math.max(0, clock.monotonicMs() - dueMs);
      loopDelay.observe(delayRow, lastLateMs / 1000);
      timer = next();
    });
  };
  let timer = next();
  return {
    lagMs: (nowMs) => Math.min(lastLateMs, Math.max(0, nowMs - dueMs)),
    [Symbol.dispose]: () => timer.cancel(),
  };
}
