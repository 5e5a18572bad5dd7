/** Instances that share limits: together they let through what one of them would. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { MemoryBus } from '#bus/memory.ts';
import { LimitExchange, REPLAY_MS, TELL_EVERY_MS } from '#control/limit-exchange.ts';
import { systemClock } from '#core/clock.ts';
import type { Quota } from '#core/table.ts';
import { LimitTable } from '#shared/limit-table.ts';
import { keptLog } from '#test/support/log.ts';
import { NatsServer } from '#test/support/nats.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { layCable } from '../bus/cable.ts';
import { joinCluster } from '../bus/members.ts';

const MINUTE_MS = 60_000;

type Member = { readonly limits: LimitTable; readonly exchange: LimitExchange };

function cluster(t: TestContext, quotas: readonly Quota[], count: number, isAlone = false) {
  const clock = new VirtualClock();
  const { log } = keptLog();
  const bus = new MemoryBus({ clock, log });
  t.after(() => bus[Symbol.asyncDispose]());
  const join = (number: number): Member => {
    const limits = LimitTable.create({ keysMax: 64, hashKey: [number, number + 1] });
    const options = {
      bus,
      limits,
      quotas: () => quotas,
      instance: `i${number}`,
      isAlone,
      instances: () => count,
      clock,
      log,
    };
    const exchange = new LimitExchange(options);
    t.after(() => exchange[Symbol.asyncDispose]());
    return { limits, exchange };
  };
  return { clock, bus, members: Array.from({ length: count }, (_, number) => join(number)) };
}

/** What is let through while requests come evenly, `perMinute` of them, to one member after the other. */
async function offer(clock: VirtualClock, members: readonly Member[], quota: Quota, perMinute: number) {
  let allowed = 0;
  for (let request = 0; request < perMinute; request++) {
    await clock.advanceAsync(MINUTE_MS / perMinute);
    const member = members[request % members.length];
    if (member?.limits.take('client', quota, clock.monotonicMs(), true).allowed) allowed++;
  }
  return allowed;
}

describe('five instances that share a limit of 1 000 a minute', () => {
  const quotas = [
    { kind: 'gcra', requests: 1000, windowMs: MINUTE_MS, burst: 10 },
    { kind: 'sliding_window', requests: 1000, windowMs: MINUTE_MS },
  ] as const satisfies Quota[];
  for (const quota of quotas) {
    it(`let 1 000 ± 1 % through of five times as many (${quota.kind})`, async (t) => {
      const { clock, members } = cluster(t, [quota], 5);
      await clock.advanceAsync(TELL_EVERY_MS);
      // The first minute spends the burst.
      await offer(clock, members, quota, 5000);
      const allowed = await offer(clock, members, quota, 5000);
      assert.ok(Math.abs(allowed - 1000) <= 10, `${allowed} were let through`);
    });
  }
});

describe('what instances tell each other', () => {
  const quota: Quota = { kind: 'gcra', requests: 60, windowMs: MINUTE_MS, burst: 4 };
  const take = ({ limits }: Member, clock: VirtualClock) =>
    limits.take('client', quota, clock.monotonicMs(), true).allowed;

  async function pair(t: TestContext) {
    const { clock, bus, members } = cluster(t, [quota], 2);
    const [one, two] = members;
    assert.ok(one && two);
    await clock.advanceAsync(TELL_EVERY_MS);
    return { clock, bus, one, two };
  }

  it('is charged once', async (t) => {
    const { clock, one, two } = await pair(t);
    for (let i = 0; i < 3; i++) assert.ok(take(one, clock));
    await clock.advanceAsync(TELL_EVERY_MS);
    assert.ok(take(two, clock));
    assert.ok(!take(two, clock));
    await clock.advanceAsync(TELL_EVERY_MS);
    assert.ok(!take(one, clock));
  });

  it('is nothing when nobody asked for anything', async (t) => {
    const { clock, bus } = await pair(t);
    const before = bus.counts.sent;
    await clock.advanceAsync(10_000);
    assert.equal(bus.counts.sent, before);
  });

  it('is nothing where there can be no other', async (t) => {
    const { clock, bus, members } = cluster(t, [quota], 1, true);
    for (const member of members) assert.ok(take(member, clock));
    await clock.advanceAsync(10_000);
    for (const { exchange } of members) await exchange[Symbol.asyncDispose]();
    assert.deepEqual([bus.counts.sent, clock.timers], [0, 0]);
  });

  it('is not what an instance counts for itself', async (t) => {
    const { clock, one, two } = await pair(t);
    for (let i = 0; i < 4; i++) one.limits.take('client', quota, clock.monotonicMs(), false);
    await clock.advanceAsync(TELL_EVERY_MS);
    assert.ok(take(two, clock));
  });

  it('changes nothing when it is forged, replayed or of another configuration', async (t) => {
    const { clock, bus, one, two } = await pair(t);
    const heard: Uint8Array[] = [];
    bus.subscribe('limits.used', ({ data }) => heard.push(data));
    assert.ok(take(one, clock));
    await clock.advanceAsync(TELL_EVERY_MS);
    const [message] = heard;
    assert.ok(message);
    for (let i = 0; i < 5; i++) bus.publish('limits.used', message);
    const text = Buffer.from(message).toString();
    const last = JSON.parse(text).seq;
    const forged = [
      'nonsense',
      text.replace('"v":1', '"v":2').replace(`${last}`, `${last + 10}`),
      text.replace(`${last}`, `${last + 10}`).replace(',1]]', ',-1000]]'),
      text.replace(`${last}`, `${last + 10}`).replace(',1]]', ',1e300]]'),
      text.replace(`${last}`, `${last + 11}`).replace(/,-?\d+,1\]\]/, ',77,1]]'),
    ];
    for (const it of forged) bus.publish('limits.used', Buffer.from(it));
    await clock.advanceAsync(TELL_EVERY_MS);
    for (let i = 0; i < 3; i++) assert.ok(take(two, clock), `request ${i + 1}`);
    assert.ok(!take(two, clock));
    assert.equal(two.exchange.rejected, 4);
  });

  // An instance whose clock had been ahead, or a forged message, once silenced its name for ever.
  it('is believed again, in time, of an instance that counts from a clock that was set back', async (t) => {
    const { clock, bus, one, two } = await pair(t);
    const heard: Uint8Array[] = [];
    bus.subscribe('limits.used', ({ data }) => heard.push(data));
    assert.ok(take(one, clock));
    await clock.advanceAsync(TELL_EVERY_MS);
    const text = Buffer.from(heard[0] ?? assert.fail()).toString();
    const ahead = text.replace(`"seq":${JSON.parse(text).seq}`, `"seq":${Number.MAX_SAFE_INTEGER}`);
    bus.publish('limits.used', Buffer.from(ahead));
    await clock.advanceAsync(REPLAY_MS);
    for (let i = 0; i < 4; i++) assert.ok(take(one, clock));
    await clock.advanceAsync(TELL_EVERY_MS);
    assert.ok(!take(two, clock));
  });

  it('names clients by one key, that of the first instance', async (t) => {
    const { clock, bus, one, two } = await pair(t);
    assert.deepEqual(two.limits.hashKey, one.limits.hashKey);
    const late = LimitTable.create({ keysMax: 64, hashKey: [8, 9] });
    const { log } = keptLog();
    const exchange = new LimitExchange({
      bus,
      limits: late,
      quotas: () => [quota],
      instance: 'late',
      isAlone: false,
      instances: () => 3,
      clock,
      log,
    });
    t.after(() => exchange[Symbol.asyncDispose]());
    await clock.advanceAsync(TELL_EVERY_MS);
    assert.deepEqual(late.hashKey, [0, 1]);
  });
});

describe('an instance that lost the bus', () => {
  const quota: Quota = { kind: 'gcra', requests: 100, windowMs: MINUTE_MS, burst: 20 };

  it('lets its part through, by the number of instances that it knew last', async (t) => {
    const server = await NatsServer.start(t);
    const cable = await layCable(t, server.port);
    const { bus } = await joinCluster(t, { url: cable.url });
    const limits = LimitTable.create({ keysMax: 64, hashKey: [1, 2] });
    const { log } = keptLog();
    let instances = 4;
    const options = {
      bus,
      limits,
      quotas: () => [quota],
      instance: 'a',
      isAlone: false,
      instances: () => instances,
      clock: systemClock,
      log,
    };
    const exchange = new LimitExchange(options);
    t.after(() => exchange[Symbol.asyncDispose]());
    const allowed = (key: string, isShared: boolean) => {
      let count = 0;
      for (let i = 0; i < 30; i++) if (limits.take(key, quota, 1000, isShared).allowed) count++;
      return count;
    };
    await delay(2 * TELL_EVERY_MS);
    cable.cut();
    await until('it knows', () => bus.state === 'isolated');
    instances = 1;
    await delay(2 * TELL_EVERY_MS);
    assert.equal(exchange.divisor, 4);
    assert.equal(allowed('client', true), 5);
    assert.equal(allowed('client of its own', false), 20);
    cable.mend();
    await until('it is back', () => bus.state === 'synced');
    assert.equal(allowed('another', true), 20);
  });
});
