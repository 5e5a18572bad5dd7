import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { keepClean } from '#accounts/janitor.ts';
import type { CleanUp } from '#accounts/store/contract.ts';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import { openPatiently, PATIENCE_MS } from '#accounts/store/open-patiently.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { newStore } from './instance.ts';

const NONE = { tokens: 0, sessions: 0, revocations: 0, throttles: 0, keys: 0 };
const MINUTE_MS = 60_000;
const NEVER = new AbortController().signal;

function cleaning(t: TestContext, cleanUp: () => Promise<CleanUp>) {
  const clock = new VirtualClock();
  const { log, lines } = keptLog();
  const lifetime = new AbortController();
  const over = keepClean({ cleanUp }, clock, { float: () => 0.5 }, log, lifetime.signal);
  t.after(async () => {
    lifetime.abort();
    await over;
  });
  return { clock, lines };
}

describe('cleaning up in the background', () => {
  it('goes on until nothing is left, every ten minutes or so', async (t) => {
    let calls = 0;
    const { clock } = cleaning(t, async () => ({ ...NONE, isMore: ++calls < 3 }));
    await clock.advanceAsync(10 * MINUTE_MS);
    assert.equal(calls, 0);
    await clock.advanceAsync(MINUTE_MS);
    assert.equal(calls, 3);
    await clock.advanceAsync(11 * MINUTE_MS);
    assert.equal(calls, 4);
  });

  it('survives a database that is away', async (t) => {
    let calls = 0;
    const { clock, lines } = cleaning(t, async () => {
      calls++;
      throw new StoreUnavailable('gone');
    });
    await clock.advanceAsync(30 * MINUTE_MS);
    assert.equal(calls, 2);
    assert.match(lines[0] ?? '', /tried again/);
  });
});

describe('a database that is not there yet', () => {
  const settings = { kind: 'sqlite', file: 'unused' } as const;

  it('is waited for, with one line in the log', async (t) => {
    const clock = new VirtualClock();
    const store = await newStore(t, clock);
    const { log, lines } = keptLog();
    let calls = 0;
    const opened = openPatiently(settings, clock, log, NEVER, async () => {
      if (++calls < 5) throw new StoreUnavailable('gone');
      return store;
    });
    await clock.advanceAsync(10_000);
    assert.equal(await opened, store);
    assert.equal(lines.length, 1);
  });

  it('is given up in the end', async () => {
    const clock = new VirtualClock();
    const { log } = keptLog();
    const opened = openPatiently(settings, clock, log, NEVER, () =>
      Promise.reject(new StoreUnavailable('gone')),
    );
    const failed = assert.rejects(opened, { code: 'store_unavailable' });
    await clock.advanceAsync(PATIENCE_MS + 1_000);
    await failed;
  });

  it('is not waited for by an instance that has to end', async () => {
    const ending = new AbortController();
    const gone = () => Promise.reject(new StoreUnavailable('gone'));
    const opened = openPatiently(settings, new VirtualClock(), keptLog().log, ending.signal, gone);
    ending.abort();
    await assert.rejects(opened, { name: 'AbortError' });
  });

  it('is not waited for when that does not help', async () => {
    const { log } = keptLog();
    const opened = openPatiently(settings, new VirtualClock(), log, NEVER, () =>
      Promise.reject(new Error('no')),
    );
    await assert.rejects(opened, /no/);
  });
});
