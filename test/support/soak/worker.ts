/** A worker that collects garbage often, and dies of any request for /crash, as of a mistake of ours. */
import { Front } from '#http/front.ts';

const COLLECT_MS = 2_000;

const { accept } = Front.prototype;
Front.prototype.accept = function (this: Front, arrival) {
  if (arrival.target === '/crash') throw new Error('crashed for a test');
  accept.call(this, arrival);
};
setInterval(() => globalThis.gc?.(), COLLECT_MS).unref();

await import('../../../src/worker.ts');
