// `npm run bench:login-times`: whether the time of a login tells a known email from an unknown one, and that of
// registering a taken one from a free one, where registering is not to tell. Tries of the two alternate, and
// the medians count.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Accounts } from '#accounts/accounts.ts';
import { MemoryBus } from '#bus/memory.ts';
import { systemClock } from '#core/clock.ts';
import { jwtSettings } from '#test/accounts/support.ts';

const TRIES = 200;

const folder = await mkdtemp(join(tmpdir(), 'signalbox-bench-'));
const log = pino({ level: 'silent' });
const accounts = await Accounts.open({
  jwt: jwtSettings(),
  accounts: {
    isRegisterRevealing: false,
    password: { lengthMin: 8, mustMix: true, commonPasswords: [] },
    throttle: { attemptsMax: 10_000, attemptsPerIpMax: 10_000, delayMsMax: 1000, forgetMs: 3_600_000 },
  },
  database: { kind: 'sqlite', file: join(folder, 'accounts.db') },
  ipv6PrefixBits: 64,
  bus: new MemoryBus({ clock: systemClock, log }),
  instance: 'bench',
  cores: 2,
  clock: systemClock,
  log,
  signal: new AbortController().signal,
});

await post('register', 'known@example.com', 'SecurePass123!');
await compare('login', () => 'nobody@example.com', 'WrongPass123!');
await compare('register', (nth) => `nobody${nth}@example.com`, 'SecurePass123!');
await accounts[Symbol.asyncDispose]();
await rm(folder, { recursive: true });

/** Sends a known email and another one in turns, and prints how far apart the answers are. */
async function compare(name: string, otherEmail: (nth: number) => string, password: string): Promise<void> {
  const known: number[] = [];
  const unknown: number[] = [];
  for (let nth = 0; nth < TRIES; nth++) {
    known.push(await post(name, 'known@example.com', password));
    unknown.push(await post(name, otherEmail(nth), password));
  }
  const [knownMs, unknownMs] = [median(known), median(unknown)];
  const difference = (Math.abs(knownMs - unknownMs) / knownMs) * 100;
  const figures = `known ${knownMs.toFixed(2)} ms, unknown ${unknownMs.toFixed(2)} ms`;
  console.log(`${name.padEnd(8)} ${figures}: ${difference.toFixed(1)} % apart`);
}

/** Milliseconds until the answer. */
async function post(name: string, email: string, password: string): Promise<number> {
  const path = `/auth/${name}`;
  const startMs = performance.now();
  await accounts.questions().get(`POST ${path}`)?.({
    method: 'POST',
    path,
    headers: [],
    body: Buffer.from(JSON.stringify({ email, password })),
    clientAddress: '127.0.0.1',
    requestId: '0'.repeat(32),
  });
  return performance.now() - startMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
