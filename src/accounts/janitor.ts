import { type Clock, sleep } from '#core/clock.ts';
import { messageOf } from '#core/errors.ts';
import { integerBelow, type Random } from '#core/random.ts';
import type { Log } from '#telemetry/log.ts';
import type { AccountStore } from './store/contract.ts';

const CLEAN_EVERY_MS = 10 * 60_000;
/** Instances that were started together do not clean up together. */
const SPREAD_MS = 60_000;
/** Between two batches, for others to get to the database. */
const BATCH_PAUSE_MS = 100;

/**
 * Deletes what has expired, again and again, until `signal` aborts. It never rejects: what could not be
 * deleted now is void anyway, and is deleted later.
 */
export async function keepClean(
  store: Pick<AccountStore, 'cleanUp'>,
  clock: Clock,
  random: Random,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(clock, CLEAN_EVERY_MS + integerBelow(random, SPREAD_MS), signal);
    try {
      await cleanOnce(store, clock, log, signal);
    } catch (error) {
      log.warn({ reason: messageOf(error) }, 'expired sessions could not be cleaned up; it is tried again');
    }
  }
}

async function cleanOnce(
  store: Pick<AccountStore, 'cleanUp'>,
  clock: Clock,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const { isMore, ...deleted } = await store.cleanUp(clock.wallMs());
    log.debug(deleted, 'expired rows deleted');
    if (!isMore) return;
    await sleep(clock, BATCH_PAUSE_MS, signal);
  }
}
