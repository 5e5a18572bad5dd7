import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Every chunk of a body that streams through leaves a buffer of up to 64 KiB behind. V8 sees the small
 * objects that hold them, not their size, and lets 64 MB and more pile up before it looks. So bodies are
 * counted, and the young generation is collected when this much has passed.
 *
 * Measured with 1 GiB each way through one worker: the process grows by 20 to 30 MB instead of 75 to 90,
 * and a collection takes 0.3 ms, which is 2 % of the time that the bytes take.
 */
const COLLECT_EVERY_BYTES = 16 * 1024 * 1024;

type Collect = (options: { type: 'minor' }) => void;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as Collect;

let passedBytes = 0;

/** To be told of every chunk of a body. */
export function countStreamed(bytes: number): void {
  passedBytes += bytes;
  if (passedBytes < COLLECT_EVERY_BYTES) return;
  passedBytes = 0;
  collect({ type: 'minor' });
}
