/** After something was loaded, until what that needed is garbage, and those who wait have their answers. */
export const LOADED_MS = 1_000;

/**
 * Gives back what loading has left in this thread, and code that has run once: 4 MB after a start, 10 MB after
 * OpenTelemetry's SDK. V8 does that by itself when a thread has been idle for half a minute. It takes 60 ms, once, so
 * it is for the control plane alone; without Node's `--expose-gc` it does nothing.
 */
export function collectGarbage(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
