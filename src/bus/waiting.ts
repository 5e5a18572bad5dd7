import type { Random } from '#core/random.ts';

/** Before the next try: doubles with each failure, and is drawn between half of it and all of it. */
const RETRY_FIRST_MS = 100;
/** However long the bus was away, instances agree again within two seconds of its return. */
const RETRY_MS_MAX = 500;

/** How long to wait after so many failures in a row, the first being 0; milliseconds. */
export function retryMs(random: Random, failures: number): number {
  return Math.min(RETRY_MS_MAX, RETRY_FIRST_MS * 2 ** failures) * (0.5 + random.float() / 2);
}

/** Settles as `promise` does, or rejects with the signal's reason as soon as that aborts. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => reject(signal.reason);
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
  });
}
