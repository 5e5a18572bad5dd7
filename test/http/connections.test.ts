import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { addressBlocks } from '#http/address-blocks.ts';
import type { ConnectionsOptions } from '#http/connections.ts';
import { ConnectionCount } from '#shared/connection-count.ts';
import { until } from '#test/support/process.ts';
import { sampleConnections } from '#test/support/sample-connections.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const MOMENT_MS = 1_000;

/** The connections of a worker, and as many real clients as a test asks for. */
async function scene(t: TestContext, max = 10, changes: Partial<ConnectionsOptions> = {}) {
  const clock = new VirtualClock();
  const count = ConnectionCount.create(1);
  const connections = sampleConnections(clock, max, { count, ...changes });
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());

  const dial = async (): Promise<{ near: Socket; client: Socket; isAdmitted: boolean }> => {
    const arrived = once(server, 'connection');
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1').resume();
    const [near] = (await arrived) as [Socket];
    for (const socket of [client, near]) socket.on('error', () => {});
    t.after(() => {
      client.destroy();
      near.destroy();
    });
    return { near, client, isAdmitted: connections.admit(near) };
  };
  return { clock, count, connections, dial };
}

/** Whether a promise has settled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise((resolve) => setImmediate(resolve, 'not yet'));
  return (await Promise.race([promise, turn])) !== 'not yet';
}

describe('connections', () => {
  it('are admitted up to the limit, and again when one has ended', async (t) => {
    const { count, dial } = await scene(t, 2);
    const first = await dial();
    assert.ok(first.isAdmitted);
    assert.ok((await dial()).isAdmitted);
    assert.ok(!(await dial()).isAdmitted);
    assert.equal(count.total, 2);
    first.client.resetAndDestroy();
    await until('its place is free', () => count.total === 1);
    assert.ok((await dial()).isAdmitted);
  });

  it('that were refused count for nothing, then and later', async (t) => {
    const { count, connections, dial } = await scene(t, 0);
    const { near, client, isAdmitted } = await dial();
    assert.ok(!isAdmitted);
    connections.beginExchange(connections.useOf(near));
    assert.ok(!connections.isBusy(near));
    connections.endExchange(connections.useOf(near));
    client.destroy();
    await until('it has ended', () => near.destroyed || near.readableEnded);
    assert.equal(count.total, 0);
    await connections.drain();
  });

  it('of one client are admitted up to a limit of their own, and again when one has ended', async (t) => {
    const { connections, dial } = await scene(t, 10, { perClientMax: 2 });
    const [first, second, third] = [await dial(), await dial(), await dial()];
    assert.ok(connections.admitClient(first.near, '192.0.2.1'));
    assert.ok(connections.admitClient(second.near, '192.0.2.1'));
    assert.ok(!connections.admitClient(third.near, '192.0.2.1'));
    assert.ok(connections.admitClient(third.near, '192.0.2.2'));
    first.client.resetAndDestroy();
    await until('the first has ended', () => first.near.closed);
    assert.ok(connections.admitClient((await dial()).near, '192.0.2.1'));
    assert.ok(!connections.admitClient((await dial()).near, '192.0.2.1'));
  });

  it('of an IPv6 client are those of its network', async (t) => {
    const { connections, dial } = await scene(t, 10, { perClientMax: 1 });
    const admit = async (address: string) => connections.admitClient((await dial()).near, address);
    assert.ok(await admit('2001:db8::1'));
    assert.ok(!(await admit('2001:db8::2')));
    assert.ok(await admit('2001:db8:0:1::1'));
  });

  it('of a trusted proxy may be any number', async (t) => {
    const { connections, dial } = await scene(t, 10, {
      perClientMax: 1,
      trusted: addressBlocks(['10.0.0.0/8']),
    });
    for (let count = 0; count < 3; count++)
      assert.ok(connections.admitClient((await dial()).near, '10.1.2.3'));
  });

  it('are busy as long as an exchange is under way, pipelined ones too', async (t) => {
    const { connections, dial } = await scene(t);
    const { near } = await dial();
    assert.ok(!connections.isBusy(near));
    connections.beginExchange(connections.useOf(near));
    connections.beginExchange(connections.useOf(near));
    connections.endExchange(connections.useOf(near));
    assert.ok(connections.isBusy(near));
    connections.endExchange(connections.useOf(near));
    assert.ok(!connections.isBusy(near));
  });

  it('all end with a cut, busy or not', async (t) => {
    const { count, connections, dial } = await scene(t);
    const [busy, idle] = [await dial(), await dial()];
    connections.beginExchange(connections.useOf(busy.near));
    connections.cut();
    await until('both have ended', () => busy.client.closed && idle.client.closed);
    assert.equal(count.total, 0);
  });
});

describe('a drain', () => {
  it('is over at once where there is nothing', async (t) => {
    const { connections } = await scene(t);
    await connections.drain();
  });

  it('closes idle connections at once', async (t) => {
    const { clock, connections, dial } = await scene(t);
    const { client } = await dial();
    clock.advance(MOMENT_MS);
    await connections.drain();
    await until('the client has noticed', () => client.closed);
  });

  it('gives one that was used just now a moment for the request on the wire', async (t) => {
    const { clock, connections, dial } = await scene(t);
    const { near } = await dial();
    connections.beginExchange(connections.useOf(near));
    clock.advance(1000);
    connections.endExchange(connections.useOf(near));
    const drained = connections.drain();
    clock.advance(MOMENT_MS - 1);
    assert.ok(!near.destroyed && !(await isDone(drained)));
    clock.advance(1);
    await drained;
  });

  it('lets that request finish, however long it takes, and then gives a moment again', async (t) => {
    const { clock, connections, dial } = await scene(t);
    const { near, client } = await dial();
    const drained = connections.drain();
    clock.advance(MOMENT_MS / 2);
    connections.beginExchange(connections.useOf(near));
    clock.advance(60_000);
    near.write('answer');
    assert.equal(`${(await once(client, 'data'))[0]}`, 'answer');
    assert.ok(!near.destroyed && !(await isDone(drained)));
    connections.endExchange(connections.useOf(near));
    clock.advance(MOMENT_MS - 1);
    assert.ok(!near.destroyed);
    clock.advance(1);
    await drained;
  });

  it('sends what is still to be sent before it closes', async (t) => {
    const { clock, connections, dial } = await scene(t);
    const { near, client } = await dial();
    let received = 0;
    client.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    client.pause();
    while (near.write(Buffer.alloc(65_536))) await new Promise((resolve) => setImmediate(resolve));
    const sent = near.bytesWritten;
    clock.advance(MOMENT_MS);
    const drained = connections.drain();
    assert.ok(!(await isDone(drained)));
    client.resume();
    await drained;
    await until('all has come', () => received === sent);
  });

  it('takes in what was accepted already, for a moment', async (t) => {
    const { clock, connections, dial } = await scene(t);
    const first = await dial();
    const drained = connections.drain();
    const late = await dial();
    assert.ok(late.isAdmitted);
    clock.advance(MOMENT_MS);
    await drained;
    await until('both clients have noticed', () => first.client.closed && late.client.closed);
  });

  it('does not wait for a client that has left', async (t) => {
    const { connections, dial } = await scene(t);
    const { near, client } = await dial();
    connections.beginExchange(connections.useOf(near));
    const drained = connections.drain();
    client.resetAndDestroy();
    await drained;
    connections.endExchange(connections.useOf(near));
  });
});
