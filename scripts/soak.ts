// `npm run soak -- MINUTES`: mixed traffic with faults for so long, and whether everything adds up in the end.

import type { Cleanup } from '#test/support/process.ts';
import { soak } from '#test/support/soak/soak.ts';

const minutes = Number(process.argv[2] ?? 5);
if (!(minutes > 0)) throw new Error('say for how many minutes: npm run soak -- 5');

await using ending = new AsyncDisposableStack();
const t: Cleanup = {
  after: (end) => void ending.defer(() => Promise.resolve((end as () => unknown)()).then(() => {})),
};
const { tally, faults, counted, lost, rejected, heaps, rss, handles, complaints } = await soak(
  t,
  minutes * 60_000,
);
const { statuses, wrong: _, bad, ...counts } = tally;
const megabytes = (values: readonly number[]) => values.map((bytes) => Math.round(bytes / 1e6)).join(' ');
console.log('what clients saw:');
console.table(counts);
console.log('by status:', statuses, 'nonsense:', bad);
console.log('what was done to them:', faults);
console.log(
  `the instance counted ${counted} requests with an outcome, ${lost} lost in crashes, ${rejected} rejected`,
);
console.log(`heaps, MB: ${megabytes(heaps)}`);
console.log(`resident, MB: ${megabytes(rss)}`);
console.log(`file descriptors: ${handles[0]} before, ${handles[1]} after`);
for (const complaint of complaints) console.error(`does not add up: ${complaint}`);
process.exitCode = complaints.length === 0 ? 0 : 1;
