/** The thread behind clock.test.ts: tells what time it has. */
import { parentPort } from 'node:worker_threads';
import { systemClock } from '#core/clock.ts';

parentPort?.postMessage(systemClock.monotonicMs());
