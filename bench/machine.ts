// `npm run bench:machine`: what it costs to run a machine, compiled and under XState's interpreter, side by side.
// CPU time of the process, garbage collection included; rounds of the two alternate, and the median counts.
import { getHeapStatistics } from 'node:v8';
import { assign, createActor, setup } from 'xstate';
import { compile } from '#actors/compile/compile.ts';
import type { Answer } from '#actors/request/answer.ts';
import type { Exchange } from '#actors/request/exchange.ts';
import { type CreateRunner, RUNNERS } from '#actors/request/run.ts';
import type { RequestEvent, RequestSteps } from '#actors/request/steps.ts';
import type { Listener } from '#actors/step.ts';
import type { Clock } from '#core/clock.ts';
import type { Plan } from '#core/plan.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';

const ROUNDS = 15;
/** CPU time that a round takes, about. */
const ROUND_MS = 100;
const WARM_UP_MS = 500;

/** Runs the work `count` times. */
type Work = (count: number) => void;
type Case = { readonly name: string; readonly compiled: Work; readonly interpreted: Work };
type Cost = { readonly us: number; readonly bytes: number };

/** Timers cost what the platform takes for them, in both; here it is the machine that is measured. */
const timelessClock: Clock = {
  monotonicMs: () => 0,
  wallMs: () => 0,
  after: () => ({ cancel() {} }),
  wakeAfter: () => ({ cancel() {} }),
};

const CASES: readonly Case[] = [
  transitionCase(),
  requestCase('request, served at once', [answered(200)], Number.POSITIVE_INFINITY),
  requestCase('request, served, two deadlines', [answered(200)], 1000),
  requestCase('request, served by the second', [failed(), answered(200)], 1000),
];

console.log(`node ${process.version}, ${ROUNDS} rounds of about ${ROUND_MS} ms each\n`);
console.log(`${''.padEnd(32)}${'compiled'.padStart(20)}${'interpreted'.padStart(22)}${'ratio'.padStart(8)}`);
for (const { name, compiled, interpreted } of CASES) {
  const { ours, theirs } = compare(compiled, interpreted);
  const ratio = (theirs.us / ours.us).toFixed(0);
  console.log(`${name.padEnd(32)}${show(ours).padStart(20)}${show(theirs).padStart(22)}${ratio.padStart(8)}`);
}

function show({ us, bytes }: Cost): string {
  const time = us < 1 ? `${(us * 1000).toFixed(0)} ns` : `${us.toFixed(2)} µs`;
  return `${time} ${bytes.toFixed(0).padStart(8)} B`;
}

function compare(compiled: Work, interpreted: Work): { ours: Cost; theirs: Cost } {
  const ours = warmUp(compiled);
  const theirs = warmUp(interpreted);
  for (let round = 0; round < ROUNDS; round++) {
    for (const { work, count, costs } of [ours, theirs]) costs.push(measure(work, count));
  }
  return { ours: typical(ours.costs), theirs: typical(theirs.costs) };
}

/** Runs the work until it is optimized, and finds out how much of it fits into a round. */
function warmUp(work: Work): { work: Work; count: number; costs: Cost[] } {
  const untilMs = performance.now() + WARM_UP_MS;
  while (performance.now() < untilMs) work(100);
  const count = Math.ceil((ROUND_MS * 1000) / measure(work, 1000).us);
  return { work, count, costs: [] };
}

function typical(costs: readonly Cost[]): Cost {
  return { us: median(costs.map(({ us }) => us)), bytes: median(costs.map(({ bytes }) => bytes)) };
}

function measure(work: Work, count: number): Cost {
  const bytesBefore = getHeapStatistics().total_allocated_bytes;
  const before = process.cpuUsage();
  work(count);
  const { user, system } = process.cpuUsage(before);
  const bytes = getHeapStatistics().total_allocated_bytes - bytesBefore;
  return { us: (user + system) / count, bytes: bytes / count };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

/** One event to and fro between two states, with a guard and an assignment. */
function transitionCase(): Case {
  const pingPong = setup({
    types: { context: {} as { n: number }, events: {} as { type: 'go' } },
    actions: { count: assign({ n: ({ context }) => (context.n + 1) % 1000 }) },
    guards: { mayGo: ({ context }) => context.n >= 0 },
  }).createMachine({
    context: { n: 0 },
    initial: 'here',
    states: {
      here: { on: { go: { target: 'there', guard: 'mayGo', actions: 'count' } } },
      there: { on: { go: { target: 'here', guard: 'mayGo', actions: 'count' } } },
    },
  });
  const going = (actor: { start(): void; send(event: { type: 'go' }): void }): Work => {
    actor.start();
    return (count) => {
      for (let sent = 0; sent < count; sent++) actor.send({ type: 'go' });
    };
  };
  const ended = () => {};
  const options = { input: undefined, clock: timelessClock, onDone: ended, onError: ended };
  return {
    name: 'one transition',
    compiled: going(compile(pingPong).createActor(options)),
    interpreted: going(createActor(pingPong)),
  };
}

/** A whole request, with steps that tell their outcome at once: its machine, and nothing but that. */
function requestCase(name: string, attempts: readonly RequestEvent[], deadlineMs: number): Case {
  const plan: Plan = {
    receivesFirst: false,
    attemptsMax: 2,
    resendable: true,
    retryOnStatus: [503],
    attemptMs: deadlineMs,
    requestMs: deadlineMs,
  };
  const exchange = { plan, reply: { onLeft() {}, cut() {} } } as unknown as Exchange;
  const runs = (createRunner: CreateRunner): Work => {
    const run = createRunner(
      stepsFor(attempts),
      timelessClock,
      () => {},
      () => {},
    );
    let served = 0;
    const ending = { ended: () => void served++ };
    return (count) => {
      served = 0;
      for (let begun = 0; begun < count; begun++) run(exchange, ending);
      if (served !== count) throw new Error(`only ${served} of ${count} requests came to their end`);
    };
  };
  return { name, compiled: runs(RUNNERS.compiled), interpreted: runs(RUNNERS.xstate) };
}

function stepsFor(attempts: readonly RequestEvent[]): RequestSteps {
  let attempt = 0;
  const telling = (outcome: RequestEvent) => (_: unknown, machine: Listener<RequestEvent>) => {
    machine.tell(outcome);
    return undefined;
  };
  const facts = { replayable: true, affordable: true, another: true };
  const steps = {
    authenticate: telling({ type: 'identity.proven', identity: null }),
    limit: telling({ type: 'limit.passed' }),
    select: telling({ type: 'upstream.selected', upstream: sampleUpstream() }),
    forward: (_: unknown, machine: Listener<RequestEvent>) => {
      const outcome = attempts[attempt++ % attempts.length] as RequestEvent;
      machine.tell(outcome);
      return undefined;
    },
    weigh: telling({ type: 'failover.weighed', facts }),
    respond: telling({ type: 'response.finished' }),
    refuse: telling({ type: 'response.finished' }),
  };
  return steps as RequestSteps;
}

function answered(status: number): RequestEvent {
  return { type: 'attempt.answered', status, answer: { status, release() {} } as unknown as Answer };
}

function failed(): RequestEvent {
  const failure = { upstream: 'red', cause: 'upstream_unreachable', written: false } as const;
  return { type: 'attempt.failed', failure };
}
