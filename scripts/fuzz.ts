// `npm run fuzz -- --requests N --responses M --seed S`: so many requests and answers, changed in any way and cut into
// any pieces, against the oracle. Each case has a seed of its own, one after the other: the seed that is printed with
// a failure makes that case the first one.
import { parseArgs } from 'node:util';
import { seededRandom } from '#core/random.ts';
import { type AnswerCase, checkAnswer } from '#test/support/fuzz/answers.ts';
import { type Case, Generator } from '#test/support/fuzz/mutate.ts';
import { checkRequests } from '#test/support/fuzz/requests.ts';
import { smallest } from '#test/support/fuzz/smallest.ts';

const PROGRESS_EVERY = 50_000;

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100000' },
    responses: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.trunc(performance.timeOrigin) % 1_000_000_000) },
  },
});
const seed = Number(values.seed);
console.log(`seed ${seed}`);

/** How to see the case that is being tried again. */
let again = '';
process.on('uncaughtException', (error) => {
  console.error(error, `\nagain: ${again}`);
  process.exit(1);
});

let forwarded = 0;
let refused = 0;
await run(
  'requests',
  Number(values.requests),
  (generator) => generator.requests(),
  async (fuzzed) => {
    const verdict = await checkRequests(fuzzed);
    forwarded += verdict.forwarded;
    if (verdict.isRefused) refused++;
    return verdict.problem;
  },
);
console.log(
  `${forwarded} requests were forwarded as they were sent, ${refused} connections refused for nonsense`,
);

let heard = 0;
await run(
  'responses',
  Number(values.responses),
  (generator) => generator.answer(),
  async (fuzzed) => {
    const verdict = await checkAnswer(fuzzed);
    if (verdict.isHeard) heard++;
    return verdict.problem;
  },
);
console.log(`${heard} answers were heard as they were sent; after every one the next request had its own`);

async function run<C extends Case | AnswerCase>(
  what: string,
  count: number,
  generate: (generator: Generator) => C,
  problemWith: (fuzzed: C) => Promise<string | null>,
): Promise<void> {
  const startMs = performance.now();
  for (let nth = 0; nth < count; nth++) {
    const fuzzed = generate(new Generator(seededRandom(seed + nth)));
    again = `npm run fuzz -- --requests 0 --responses 0 --${what} 1 --seed ${seed + nth}`;
    const problem = await problemWith(fuzzed);
    if (problem !== null) {
      console.error(`${what}, seed ${seed + nth}: ${problem}`);
      const least = await smallest(fuzzed, async (smaller) => (await problemWith(smaller)) !== null);
      console.error(`the least of it that fails: ${JSON.stringify(least)}\n${await problemWith(least)}`);
      console.error(`again: ${again}`);
      process.exit(1);
    }
    if (nth % PROGRESS_EVERY === PROGRESS_EVERY - 1) console.log(`${nth + 1} ${what}`);
  }
  const seconds = (performance.now() - startMs) / 1000;
  console.log(
    `${count} ${what} in ${Math.round(seconds)} s: no crash, no hang, nothing but what the oracle reads`,
  );
}
