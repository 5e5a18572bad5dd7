/** Names of upstreams, resolved by a real DNS server. */
import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Discovery } from '#control/discovery/discovery.ts';
import { ADDRESSES_MAX, resolveBy, resolveBySystem } from '#control/discovery/resolve.ts';
import { DnsServer, type Zone } from '#test/support/dns.ts';
import { keptLog } from '#test/support/log.ts';
import { until } from '#test/support/process.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const API = 'api.example.test';

async function discover(t: TestContext, zone: Zone) {
  const server = await DnsServer.start(t, zone);
  const clock = new VirtualClock();
  const { log, lines } = keptLog();
  const changes: string[] = [];
  const discovery = new Discovery({
    resolve: resolveBy([server.address]),
    clock,
    random: { float: () => 0 },
    log,
  });
  discovery.onChange = (name) => changes.push(name);
  t.after(() => discovery[Symbol.dispose]());
  const changed = (count: number) => until(`change ${count}`, () => changes.length === count);
  const failed = (count: number) => until(`failure ${count}`, () => lines.length === count);
  return { server, clock, discovery, changes, lines, changed, failed };
}

describe('a name of an upstream', () => {
  it('is all the addresses that it has, of both families', async (t) => {
    const { discovery, changed } = await discover(t, {
      [API]: { addresses: ['10.0.0.2', '10.0.0.1', '2001:db8::1'], ttl: 30 },
    });
    assert.deepEqual(discovery.addressesOf(API), []);
    discovery.follow(new Set([API]));
    await changed(1);
    assert.deepEqual(discovery.addressesOf(API), ['10.0.0.1', '10.0.0.2', '2001:db8::1']);
  });

  it('is asked for again when its TTL is over, and not before', async (t) => {
    const { server, clock, discovery, changed } = await discover(t, {
      [API]: { addresses: ['10.0.0.1'], ttl: 30 },
    });
    discovery.follow(new Set([API]));
    await changed(1);
    const { queries } = server;
    server.zone[API] = { addresses: ['10.0.0.9'], ttl: 30 };
    await clock.advanceAsync(29_000);
    assert.equal(server.queries, queries);
    await clock.advanceAsync(1_000);
    await changed(2);
    assert.deepEqual(discovery.addressesOf(API), ['10.0.0.9']);
  });

  it('keeps its addresses while the server fails, with one line in the log, and is tried again', async (t) => {
    const { server, clock, discovery, lines, changes, failed } = await discover(t, {
      [API]: { addresses: ['10.0.0.1'], ttl: 30 },
    });
    discovery.follow(new Set([API]));
    await until('it is known', () => changes.length === 1);
    server.isFailing = true;
    await clock.advanceAsync(30_000);
    await failed(1);
    assert.match(lines[0] ?? '', /does not resolve/);
    assert.deepEqual(discovery.addressesOf(API), ['10.0.0.1']);
    server.isFailing = false;
    server.zone[API] = { addresses: ['10.0.0.1', '10.0.0.2'], ttl: 30 };
    await until('it is tried again', async () => {
      await clock.advanceAsync(500);
      return changes.length === 2;
    });
    assert.match(lines[1] ?? '', /resolves again/);
  });

  // Two names whose servers did not answer once kept all others from being asked for.
  it('does not wait for names whose servers are silent', async (t) => {
    const clock = new VirtualClock();
    const asked: string[] = [];
    const resolve = (name: string) => {
      const isFirst = !asked.includes(name);
      asked.push(name);
      if (name === API) return Promise.resolve({ addresses: ['10.0.0.1'], ttlMs: 1_000 });
      return isFirst ? Promise.reject(new Error('no answer')) : new Promise<never>(() => {});
    };
    const discovery = new Discovery({ resolve, clock, random: { float: () => 0 }, log: keptLog().log });
    t.after(() => discovery[Symbol.dispose]());
    discovery.follow(new Set(['silent.test', 'dead.test', 'gone.test', API]));
    await clock.advanceAsync(10_000);
    assert.ok(asked.filter((name) => name === API).length >= 10, asked.join());
  });

  it('that nobody knows has no address until somebody does', async (t) => {
    const { server, clock, discovery, changes, failed } = await discover(t, {});
    discovery.follow(new Set([API]));
    await failed(1);
    assert.deepEqual(discovery.addressesOf(API), []);
    server.zone[API] = { addresses: ['10.0.0.1'], ttl: 0 };
    await until('it is tried again', async () => {
      await clock.advanceAsync(500);
      return changes.length === 1;
    });
  });

  it('is not asked for any more when no upstream has it', async (t) => {
    const { server, clock, discovery, changed } = await discover(t, {
      [API]: { addresses: ['10.0.0.1'], ttl: 1 },
    });
    discovery.follow(new Set([API]));
    await changed(1);
    discovery.follow(new Set());
    const { queries } = server;
    await clock.advanceAsync(60_000);
    assert.equal(server.queries, queries);
    assert.equal(clock.timers, 0);
  });

  it('stands for a bounded number of addresses', async (t) => {
    const addresses = Array.from({ length: ADDRESSES_MAX + 6 }, (_, index) => `10.0.0.${index}`);
    const { discovery, changed } = await discover(t, { [API]: { addresses, ttl: 1 } });
    discovery.follow(new Set([API]));
    await changed(1);
    assert.equal(discovery.addressesOf(API).length, ADDRESSES_MAX);
  });
});

describe('the system', () => {
  it('resolves what its hosts file has', async () => {
    const { addresses, ttlMs } = await resolveBySystem('localhost');
    assert.ok(addresses.includes('127.0.0.1') || addresses.includes('::1'));
    assert.ok(ttlMs >= 1_000);
  });
});
