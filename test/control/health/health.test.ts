import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MemoryBus } from '#bus/memory.ts';
import { HEARTBEAT_SUBJECT, heartbeatOf, heartbeatType } from '#control/health/heartbeat.ts';
import { MEMBER_MS_MAX } from '#core/agreement/members.ts';
import { systemClock } from '#core/clock.ts';
import { placeIdOf } from '#core/registry/record.ts';
import { keptLog } from '#test/support/log.ts';
import { freePort, until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { DOWN, UP, wordOf } from '../../core/agreement/words.ts';
import { becomes, Cluster, type Member, poolOf, QUICK, Target } from './cluster.ts';

const NEVER = new AbortController().signal;

describe('an instance that is alone', () => {
  it('has a new upstream serve after its first pass', async (t) => {
    const target = await Target.start(t);
    const pool = poolOf([target.port, await freePort()], QUICK);
    const member = new Cluster(t).join('one', pool);
    assert.deepEqual(
      [...member.told],
      [
        [0, 'down'],
        [1, 'down'],
      ],
    );
    await member.health.settled(NEVER);
    assert.deepEqual(member.history, ['0 down', '1 down', '0 up']);
    const [, dead = assert.fail()] = pool.upstreams;
    const { verdict, opinions } = member.health.of(dead);
    assert.equal(verdict, 'down');
    assert.deepEqual(opinions, [
      { instance: 'one', verdict: 'down', reason: 'connection refused', ageMs: 0 },
    ]);
    assert.ok(
      member.lines.some((line) => line.includes('"reason":"connection refused","msg":"upstream is down"')),
    );
  });

  it('has it serve at once where that is asked for, or nothing is checked', async (t) => {
    const cluster = new Cluster(t);
    const dead = await freePort();
    const trusting = cluster.join('one', poolOf([dead], { ...QUICK, isUpAtFirst: true }));
    assert.deepEqual(trusting.history, ['0 up']);
    await becomes(trusting, 0, 'down');
    const unchecked = cluster.join('two', poolOf([dead], null));
    await unchecked.health.settled(NEVER);
    assert.deepEqual(unchecked.history, ['0 up']);
  });

  it('takes an upstream out when it is gone, and back when it is', async (t) => {
    const target = await Target.start(t);
    const member = new Cluster(t).join('one', poolOf([target.port], QUICK));
    await becomes(member, 0, 'up');
    target.close();
    await becomes(member, 0, 'down');
    await target.reopen();
    await becomes(member, 0, 'up');
    assert.equal(member.lines.filter((line) => line.includes('upstream is up')).length, 1);
  });

  it('finds out at once when a request could not connect', async (t) => {
    const target = await Target.start(t);
    const slow = { ...QUICK, pace: { intervalMs: 60_000, timeoutMs: 1000, jitter: 0 } };
    const member = new Cluster(t).join('one', poolOf([target.port], slow));
    await becomes(member, 0, 'up');
    target.close();
    member.health.onFailing(0, 'unreachable');
    await becomes(member, 0, 'down');
  });

  it('ejects an upstream whose requests fail in a row, but only as many as the pool can spare', async (t) => {
    const ports = await Promise.all(Array.from({ length: 5 }, () => freePort()));
    const member = new Cluster(t).join('one', poolOf(ports, null));
    member.health.onFailing(2, '5xx');
    member.health.onFailing(3, 'gateway_failure');
    assert.deepEqual(member.history.slice(5), ['2 down']);
    const [, , banned = assert.fail()] = poolOf(ports, null).upstreams;
    assert.deepEqual(
      member.health.of(banned).opinions.map(({ reason }) => reason),
      ['server errors in a row'],
    );
  });

  it('does not check what is in maintenance, and checks it before it serves again', async (t) => {
    const target = await Target.start(t);
    const { health, told, lines } = new Cluster(t).join('one', poolOf([target.port], QUICK));
    await until('it serves', () => told.get(0) === 'up');
    health.watch({ pools: { default: poolOf([target.port], QUICK, ['maintenance']) } });
    assert.equal(told.get(0), 'down');
    target.close();
    health.watch({ pools: { default: poolOf([target.port], QUICK, ['ready']) } });
    assert.equal(told.get(0), 'down');
    await target.reopen();
    await until('it serves again', () => told.get(0) === 'up');
    assert.equal(
      lines.filter((line) => line.includes('"level":40') && line.includes('most say so')).length,
      0,
    );
  });

  it('begins anew with an upstream that has moved', async (t) => {
    const [first, second] = [await Target.start(t), await Target.start(t)];
    const member = new Cluster(t).join('one', poolOf([first.port], QUICK));
    await becomes(member, 0, 'up');
    member.health.watch({ pools: { default: poolOf([second.port], QUICK) } });
    assert.equal(member.told.get(0), 'down');
    await becomes(member, 0, 'up');
  });

  it('leaves an upstream alone that is none of its own any more', async (t) => {
    const [kept, gone] = [await Target.start(t), await Target.start(t)];
    const { health } = new Cluster(t).join('one', poolOf([kept.port, gone.port], QUICK));
    await health.settled(NEVER);
    health.watch({ pools: { default: poolOf([kept.port], QUICK) } });
    const [keptBefore, goneBefore] = [kept.connections, gone.connections];
    health.onFailing(1, 'unreachable');
    await until('the other is probed on', () => kept.connections >= keptBefore + 4);
    // One may have been under way.
    assert.ok(gone.connections <= goneBefore + 1, `${gone.connections - goneBefore} probes`);
  });

  it('keeps what it knows when no more than weights and states change', async (t) => {
    const target = await Target.start(t);
    const member = new Cluster(t).join('one', poolOf([target.port], QUICK));
    await becomes(member, 0, 'up');
    const pool = poolOf([target.port], QUICK, ['drain']);
    member.health.watch({ pools: { default: pool } });
    member.health.watch({
      pools: { default: { ...pool, upstreams: pool.upstreams.map((it) => ({ ...it, weight: 5 })) } },
    });
    assert.deepEqual(member.history, ['0 down', '0 up']);
  });
});

describe('instances that share a bus', () => {
  it('know each other, what they serve, and what they think', async (t) => {
    const target = await Target.start(t);
    const pool = poolOf([target.port], QUICK);
    const cluster = new Cluster(t);
    const [one, two] = [cluster.join('one', pool), cluster.join('two', pool)];
    await until('they know each other', () => one.health.others().length + two.health.others().length === 2);
    const [{ lastSeenMs, lagMs, ...other } = assert.fail()] = one.health.others();
    assert.deepEqual(other, { id: 'two', version: '1.0.0', revision: 7, checksum: 'abc', watchAgeMs: 0 });
    assert.ok(lastSeenMs < 3000 && lagMs === 0);
    const [upstream = assert.fail()] = pool.upstreams;
    await until('they know what they think', () => one.health.of(upstream).opinions.length === 2);
    assert.deepEqual(
      one.health.of(upstream).opinions.map(({ instance, verdict }) => `${instance} ${verdict}`),
      ['one up', 'two up'],
    );
  });

  it('make themselves known to a newcomer at once', async (t) => {
    const clock = new VirtualClock();
    const cluster = new Cluster(t, clock);
    const pool = poolOf([20_000], null);
    const one = cluster.join('one', pool);
    await clock.advanceAsync(500);
    const two = cluster.join('two', pool);
    await clock.advanceAsync(60);
    assert.deepEqual(
      [one, two].flatMap(({ health }) => health.others().map(({ id }) => id)),
      ['two', 'one'],
    );
  });

  it('follow the majority, and nobody takes an upstream from the others', async (t) => {
    const target = await Target.start(t);
    const reachable = poolOf([target.port], QUICK);
    // The same upstream, which these cannot reach.
    const unreachable = poolOf([target.port], { ...QUICK, port: await freePort() });
    const cluster = new Cluster(t);
    const [one, two] = [cluster.join('one', reachable), cluster.join('two', reachable)];
    const odd = cluster.join('odd', unreachable);
    await becomes(one, 0, 'up');
    await becomes(two, 0, 'up');
    const [upstream = assert.fail()] = reachable.upstreams;
    await until('all are heard', () => one.health.of(upstream).opinions.length === 3);
    await until('and agree', () => odd.health.of(upstream).verdict === 'up');
    assert.equal(odd.told.get(0), 'down');
    assert.equal(one.told.get(0), 'up');

    // Two against one: who can still reach it leaves it as well.
    const third = cluster.join('more', unreachable);
    const fourth = cluster.join('most', unreachable);
    await becomes(one, 0, 'down');
    assert.ok(one.lines.some((line) => line.includes('most say so')));
    third.health[Symbol.dispose]();
    fourth.health[Symbol.dispose]();
    await becomes(one, 0, 'up');
  });

  // Votes on where an upstream was once counted for where it is now.
  it('say nothing of where an upstream has moved to', async (t) => {
    const target = await Target.start(t);
    const before = poolOf([target.port], QUICK);
    const cluster = new Cluster(t);
    const [one, two] = [cluster.join('one', before), cluster.join('two', before)];
    await becomes(one, 0, 'up');
    await becomes(two, 0, 'up');
    const after = poolOf([await freePort()], QUICK);
    const [moved = assert.fail()] = after.upstreams;
    one.health.watch({ pools: { default: after } });
    const received = cluster.bus.counts.received;
    two.health.resync();
    await until('the other is heard', () => cluster.bus.counts.received > received);
    await until('it is checked', () => one.health.of(moved).verdict === 'down');
    assert.deepEqual(one.history, ['0 down', '0 up', '0 down']);
  });

  it('share the probes of a large cluster, and take over from those who leave', async (t) => {
    const targets = await Promise.all(Array.from({ length: 8 }, () => Target.start(t)));
    const pool = poolOf(
      targets.map(({ port }) => port),
      QUICK,
    );
    const cluster = new Cluster(t);
    const members = ['one', 'two', 'three'].map((id) => cluster.join(id, pool, { observers: 1 }));
    const votersOf = (index: number) => {
      const [member = assert.fail()] = members;
      return member.health
        .of(pool.upstreams[index] ?? assert.fail())
        .opinions.map(({ instance }) => instance);
    };
    const all = pool.upstreams.map((_, index) => index);
    await until('each has one observer', () => all.every((index) => votersOf(index).length === 1));
    const observers = new Set(all.flatMap(votersOf));
    assert.ok(observers.size > 1, 'one does it all');
    for (const { told } of members) for (const index of all) assert.equal(told.get(index), 'up');

    const [first, ...others] = members;
    for (const { health } of others) health[Symbol.dispose]();
    await until('the last one does it all', () => all.every((index) => votersOf(index).join() === 'one'));
    assert.ok(first !== undefined && all.every((index) => first.told.get(index) === 'up'));
  });

  it('serve on while those who probed are gone', async (t) => {
    const target = await Target.start(t);
    const pool = poolOf([target.port], QUICK);
    const [upstream = assert.fail()] = pool.upstreams;
    const cluster = new Cluster(t);
    const ids = ['one', 'two', 'three', 'four'];
    const members = ids.map((id) => ({ id, ...cluster.join(id, pool, { observers: 1 }) }));
    for (const member of members) await becomes(member, 0, 'up');
    const votersOf = ({ health }: Member) => health.of(upstream).opinions.map(({ instance }) => instance);
    await until('one probes', () => members.every((member) => votersOf(member).length === 1));
    const [observer] = members.flatMap(votersOf);
    const [witness = assert.fail()] = members.filter(({ id }) => id !== observer);
    for (const member of members) if (member !== witness) member.health[Symbol.dispose]();
    await until('the witness probes itself', () => votersOf(witness).join() === witness.id);
    assert.equal(witness.history.filter((told) => told === '0 down').length, 1);
  });

  it('are told of a change within milliseconds', async (t) => {
    const target = await Target.start(t);
    const slow = { ...QUICK, pace: { intervalMs: 60_000, timeoutMs: 1000, jitter: 0 } };
    const pool = poolOf([target.port], slow);
    const cluster = new Cluster(t);
    const members = ['one', 'two', 'three'].map((id) => cluster.join(id, pool, { observers: 1 }));
    for (const member of members) await becomes(member, 0, 'up');
    await until('all know each other', () => members.every(({ health }) => health.others().length === 2));
    target.close();
    const startMs = performance.now();
    for (const { health } of members) health.onFailing(0, 'unreachable');
    for (const member of members) await becomes(member, 0, 'down');
    // The next heartbeat alone would take up to a second.
    assert.ok(performance.now() - startMs < 500, `${performance.now() - startMs} ms`);
  });
});

describe('what comes over the bus', () => {
  it('and is no heartbeat, or an old one, changes nothing and is counted', async (t) => {
    const target = await Target.start(t);
    const pool = poolOf([target.port], QUICK);
    const cluster = new Cluster(t);
    const one = cluster.join('one', pool);
    await becomes(one, 0, 'up');
    const type = heartbeatType();
    const send = (data: Uint8Array | null) => cluster.bus.publish(HEARTBEAT_SUBJECT, data ?? assert.fail());
    const say = (...args: Parameters<typeof wordOf>) => send(type.encode(heartbeatOf(wordOf(...args))));
    const counts = () => one.health.counts;

    const place = placeIdOf(pool.upstreams[0] ?? assert.fail());

    for (const id of ['two', 'three']) say(id, 5, { [place]: UP });
    await until('they are heard', () => one.health.others().length === 2);
    for (const id of ['two', 'three']) say(id, 4, { [place]: DOWN });
    await until('they are counted', () => counts().replayed === 2);
    assert.equal(one.told.get(0), 'up');

    const before = counts().rejected;
    const forged = [
      '',
      '{}',
      '{"v":1,"from":"four","seq":1,"body":{}}',
      '{"v":2,"from":"four","seq":1,"body":{"anything":1}}',
      '['.repeat(10_000),
      `{"v":1,"from":"four","seq":1,"body":{"incarnation":1,"is_leaving":false,"version":"1","revision":1,"checksum":"","watch_age_ms":0,"opinions":[["${place}","sideways",""]]}}`,
    ];
    for (const text of forged) send(Buffer.from(text));
    await until('all are counted', () => counts().rejected === before + forged.length);
    assert.equal(one.health.others().length, 2);
    assert.equal(one.told.get(0), 'up');

    for (const id of ['two', 'three']) say(id, 6, { [place]: DOWN });
    await becomes(one, 0, 'down');
  });

  it('from another instance of the same id is a mistake that is logged', async (t) => {
    const cluster = new Cluster(t);
    const one = cluster.join('one', poolOf([], null));
    const { bus } = cluster;
    const data = heartbeatType().encode(heartbeatOf(wordOf('one', 1)));
    bus.publish(HEARTBEAT_SUBJECT, data ?? assert.fail());
    await until('it is logged', () => one.lines.some((line) => line.includes('has the same id')));
    assert.deepEqual(one.health.others(), []);
  });

  // Whoever had the id later kept it: the others did not heed the one that was left for ten minutes.
  for (const isLeaving of [true, false]) {
    it(`from a namesake that ${isLeaving ? 'leaves' : 'is killed'} silences nobody for long`, async (t) => {
      const clock = new VirtualClock();
      const cluster = new Cluster(t, clock);
      const pool = poolOf([20_000], null);
      cluster.join('one', pool);
      const two = cluster.join('two', pool);
      await clock.advanceAsync(1_500);
      const ids = () => two.health.others().map(({ id }) => id);
      assert.deepEqual(ids(), ['one']);
      const word = wordOf('one', 0, {}, { incarnation: clock.wallMs() + 1_000, isLeaving });
      cluster.bus.publish(HEARTBEAT_SUBJECT, heartbeatType().encode(heartbeatOf(word)) ?? assert.fail());
      await clock.advanceAsync(MEMBER_MS_MAX + 1_100);
      assert.deepEqual(ids(), ['one']);
    });
  }

  it('is little while nothing happens', async (t) => {
    const clock = new VirtualClock();
    const cluster = new Cluster(t, clock);
    const pool = poolOf(
      Array.from({ length: 20 }, (_, index) => 20_000 + index),
      null,
    );
    for (const id of ['one', 'two', 'three', 'four', 'five']) cluster.join(id, pool);
    await clock.advanceAsync(2_000);
    const before = cluster.bus.counts.sent;
    await clock.advanceAsync(10_000);
    assert.equal(cluster.bus.counts.sent - before, 5 * 10);
  });

  it('may be about more upstreams than one message holds', async (t) => {
    const ports = Array.from({ length: 1100 }, (_, index) => 20_000 + index);
    const pool = poolOf(ports, null);
    const cluster = new Cluster(t);
    const [one, two] = [cluster.join('one', pool), cluster.join('two', pool)];
    const heard = () => pool.upstreams.filter((upstream) => two.health.of(upstream).opinions.length === 2);
    one.health.resync();
    await until('all is heard', () => heard().length === 1100);
  });
});

describe('an instance whose bus is away', () => {
  it('goes by its own opinion', async (t) => {
    const target = await Target.start(t);
    const pool = poolOf([target.port], QUICK);
    const bus = new MemoryBus({ clock: systemClock, log: keptLog().log });
    await bus[Symbol.asyncDispose]();
    const member = new Cluster(t).join('one', pool, { bus });
    await becomes(member, 0, 'up');
    target.close();
    await becomes(member, 0, 'down');
  });
});
