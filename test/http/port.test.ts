import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Port, QUIET_MS, QUIET_MS_MAX } from '#http/port.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

async function scene(t: TestContext) {
  const clock = new VirtualClock();
  const accepted: Socket[] = [];
  const port = new Port(clock, (socket) => accepted.push(socket));
  const number = await port.listen('127.0.0.1', 0, false);
  t.after(() => port.close());
  const dial = async (): Promise<'made' | 'refused'> => {
    const client = connect(number, '127.0.0.1');
    t.after(() => client.destroy());
    return once(client, 'connect').then(
      () => 'made',
      () => 'refused',
    );
  };
  /** Lets the time pass in which a port may find that it is quiet. */
  const pass = async () => {
    await clock.advanceAsync(QUIET_MS);
    for (let turns = 0; turns < 6; turns++) await nextTurn();
  };
  return { clock, port, accepted, dial, pass };
}

describe('a port', () => {
  it('closes when nothing came for a while', async (t) => {
    const { port, accepted, dial, pass } = await scene(t);
    const closed = port.closeQuietly();
    for (let times = 1; times <= 3; times++) {
      assert.equal(await dial(), 'made');
      await until('it is accepted', () => accepted.length === times);
      await pass();
    }
    await pass();
    await closed;
    assert.equal(await dial(), 'refused');
    assert.equal(accepted.length, 3);
  });

  it('closes in the end, however many still come', async (t) => {
    const { port, clock, accepted, dial, pass } = await scene(t);
    const endMs = clock.monotonicMs() + QUIET_MS_MAX;
    const closed = port.closeQuietly();
    for (let times = 1; clock.monotonicMs() < endMs; times++) {
      assert.equal(await dial(), 'made');
      await until('it is accepted', () => accepted.length === times);
      await pass();
    }
    await closed;
    assert.equal(await dial(), 'refused');
  });

  it('that is told to close before it listens does not listen', async (t) => {
    const { port, dial } = await scene(t);
    port.close();
    assert.equal(await dial(), 'refused');
    const other = new Port(new VirtualClock(), () => {});
    const listening = other.listen('127.0.0.1', 0, false);
    other.close();
    const number = await listening;
    await assert.rejects(once(connect(number, '127.0.0.1'), 'connect'), { code: 'ECONNREFUSED' });
  });
});
