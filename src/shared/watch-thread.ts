import type { Clock } from '#core/clock.ts';
import type { WorkerSeries } from './metric-cells.ts';

/** How often a thread is asked whether it is in time. */
export const PROBE_MS = 50;

/** Probes from one look at the heap to the next. */
const HEAP_PROBES = 20;

/** Hears of each probe: how late it was, and when the next one is due. */
export type OnProbe = (lateMs: number, nextDueMs: number) => void;

/**
 * Watches the thread that it runs in: how late it is with what is due, and how much of its heap is used, as
 * `heapBytes` tells. The clock's timers are to be punctual: what they wait for would count as the thread's.
 */
export function watchThread(
  { loopDelay, heapUsed }: Pick<WorkerSeries, 'loopDelay' | 'heapUsed'>,
  thread: string,
  heapBytes: () => number,
  clock: Clock,
  onProbe: OnProbe = () => {},
): Disposable {
  const delayRow = loopDelay.row([thread]);
  const heapRow = heapUsed.row([thread]);
  let probes = 0;
  const next = () => {
    const dueMs = clock.monotonicMs() + PROBE_MS;
    if (probes++ % HEAP_PROBES === 0) heapUsed.set(heapRow, heapBytes());
    return clock.after(PROBE_MS, () => {
      const nowMs = clock.monotonicMs();
      const lateMs = Math.max(0, nowMs - dueMs);
      loopDelay.observe(delayRow, lateMs / 1000);
      onProbe(lateMs, nowMs + PROBE_MS);
      timer = next();
    });
  };
  let timer = next();
  return { [Symbol.dispose]: () => timer.cancel() };
}
