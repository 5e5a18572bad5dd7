import type { DatabaseSettings } from '#core/account-settings.ts';
import { type Clock, sleep } from '#core/clock.ts';
import type { Log } from '#telemetry/log.ts';
import type { AccountStore } from './contract.ts';
import { StoreUnavailable } from './errors.ts';
import { openStore } from './open.ts';

/** A database that starts together with its instances is there by then. */
export const PATIENCE_MS = 30_000;
const PAUSE_MS = 1_000;

/**
 * Opens the store as soon as the database answers. Rejects with StoreUnavailable when it does not within
 * PATIENCE_MS, and at once when waiting does not help, or when `signal` aborts.
 */
export async function openPatiently(
  settings: DatabaseSettings,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
  open = openStore,
): Promise<AccountStore> {
  const endMs = clock.monotonicMs() + PATIENCE_MS;
  // Timers do not keep a process alive, and an instance that waits has nothing else yet.
  const { port1: alive } = new MessageChannel();
  alive.ref();
  try {
    for (let tries = 1; ; tries++) {
      try {
        return await open(settings, clock);
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || clock.monotonicMs() >= endMs) throw error;
        if (tries === 1)
          log.warn({ reason: error.message, wait_ms: PATIENCE_MS }, 'waiting for the database');
        await sleep(clock, PAUSE_MS, signal);
        signal.throwIfAborted();
      }
    }
  } finally {
    alive.close();
  }
}
