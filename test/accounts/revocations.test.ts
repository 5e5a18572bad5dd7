import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Revocations } from '#accounts/revocations.ts';
import type { NotedRevocation, SessionStore } from '#accounts/store/contract.ts';
import { MemoryBus } from '#bus/memory.ts';
import type { Revoked } from '#core/jwt/revoked-sessions.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const ACCESS_MS = 900_000;

/** A database that has these rows, and says what it was asked for. */
async function reading(t: TestContext, rows: NotedRevocation[], sessionsMax?: number) {
  const clock = new VirtualClock();
  const { log } = keptLog();
  const asked: number[] = [];
  const told: Revoked[] = [];
  let isAway = false;
  const store: Pick<SessionStore, 'listRevocations'> = {
    async listRevocations(nowMs, sinceMs, { after }) {
      asked.push(sinceMs);
      if (isAway) throw new Error('gone');
      if (after !== null) return [];
      return rows.filter((row) => row.untilMs > nowMs && row.notedAtMs >= sinceMs);
    },
  };
  const revocations = await Revocations.open({
    bus: new MemoryBus({ clock, log }),
    store: store as SessionStore,
    accessMs: ACCESS_MS,
    instance: 'test',
    onRevoked: (revoked) => told.push(revoked),
    ...(sessionsMax === undefined ? {} : { sessionsMax }),
    clock,
    log,
  });
  t.after(() => revocations[Symbol.asyncDispose]());
  const setAway = (value: boolean) => {
    isAway = value;
  };
  return { clock, revocations, asked, told, setAway };
}

function noted(sessionId: string, notedAtMs: number): NotedRevocation {
  return { sessionId, untilMs: notedAtMs + ACCESS_MS, notedAtMs };
}

describe('reading what is revoked from the database', () => {
  it('[31] reads all at first, then what is new, and what it missed while the database was away', async (t) => {
    const { clock, asked, setAway } = await reading(t, []);
    const startMs = clock.wallMs();
    await clock.advanceAsync(10_000);
    assert.deepEqual(asked, [0, 0, startMs - 600_000]);
    setAway(true);
    await clock.advanceAsync(60_000);
    setAway(false);
    asked.length = 0;
    await clock.advanceAsync(10_000);
    // The first time, as far back as when it was last there.
    assert.deepEqual(asked, [startMs + 5_000 - 600_000, startMs + 70_000 - 600_000]);
  });

  // History: those that had no room were taken for new with each read, and each time all tokens were refused.
  it('[22] does not take for new what had no room', async (t) => {
    const clock = new VirtualClock();
    const longAgoMs = clock.wallMs() - 120_000;
    const rows = ['a', 'b', 'c'].map((id, nth) => noted(id, longAgoMs + nth));
    const { clock: time, revocations, told } = await reading(t, rows, 2);
    const { issuedFrom } = revocations.live();
    assert.equal(issuedFrom, Math.floor(time.wallMs() / 1000) + 1);
    assert.deepEqual(
      told.map((it) => it.sessions.length),
      [3],
    );
    await time.advanceAsync(30_000);
    assert.equal(told.length, 1);
    assert.equal(revocations.live().issuedFrom, issuedFrom);

    rows.push(noted('d', time.wallMs()));
    await time.advanceAsync(5_000);
    assert.deepEqual(
      told.at(-1)?.sessions.map(({ sessionId }) => sessionId),
      ['d'],
    );
  });
});
