import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Workers } from '#control/workers.ts';
import { RevokedSessions } from '#core/jwt/revoked-sessions.ts';
import { createSharedState } from '#shared/state.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { sampleSettings } from '#test/support/sample-settings.ts';
import { sampleTable } from '#test/support/sample-table.ts';
import { keyringOf, revoking } from '#test/support/tokens.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const ONE_REVOKED = revoking(['a', 9e12]);

/** One worker that tells what it hears of tokens, and the control plane's side of that. */
async function scene(t: TestContext, onStarting: (workers: Workers) => void = () => {}) {
  const clock = new VirtualClock();
  const { log } = keptLog();
  const settings = sampleSettings();
  const revocations = new RevokedSessions();
  const told: string[] = [];
  const looked: string[] = [];
  let revision = 1;
  const workers = new Workers(
    {
      entry: new URL('./token-news-worker.ts', import.meta.url),
      settings,
      shared: createSharedState(settings),
      reusePort: true,
      answer: async ({ path }) => {
        told.push(path);
        return null;
      },
      tls: () => null,
      onFailing: () => {},
      tokens: {
        keyring: () => keyringOf([], revision),
        revoked: () => revocations.live(clock.wallMs()),
        look: async (issuer) => {
          looked.push(issuer);
          revision = 7;
        },
      },
      clock,
      log,
    },
    sampleTable(),
  );
  t.after(() => workers.cut());
  const started = workers.start();
  onStarting(workers);
  await started;
  const hears = (what: object) => {
    const text = JSON.stringify({ worker: 0, ...what });
    return until(`the worker hears ${text}`, () => told.includes(text));
  };
  return { clock, workers, revocations, looked, hears };
}

describe('a worker', () => {
  it('[35] hears of keys when it begins, and when it has missed one', async (t) => {
    const { looked, hears } = await scene(t);
    await hears({ began: 1, revoked: revoking() });
    await hears({ keyring: 7 });
    assert.deepEqual(looked, ['https://login.example.com']);
  });

  // History: what was revoked while workers started was told to none of them until all had started.
  it('[31] hears what is revoked while others start', async (t) => {
    const { hears } = await scene(t, (workers) => workers.announceRevoked(ONE_REVOKED));
    await hears({ revoked: ONE_REVOKED });
  });

  it('[31] hears of every session that is revoked', async (t) => {
    const { workers, hears } = await scene(t);
    workers.announceRevoked(ONE_REVOKED);
    await hears({ revoked: ONE_REVOKED });
  });

  it('[31] that takes the place of another knows from its first moment which sessions were revoked', async (t) => {
    const { clock, workers, revocations, hears } = await scene(t);
    await hears({ began: 1, revoked: revoking() });
    await hears({ keyring: 7 });
    revocations.add(ONE_REVOKED, clock.wallMs());
    workers.publish(sampleTable());
    const [crashed] = workers.threadIds;
    await until('it has crashed', () => clock.timers > 0 && workers.threadIds[0] !== crashed);
    clock.advance(5_000);
    await hears({ began: 7, revoked: ONE_REVOKED });
  });
});
