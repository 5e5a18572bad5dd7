import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { readAnnouncedAddress } from '#http/proxy-protocol/announced-address.ts';
import { until } from '#test/support/process.ts';
import { RawClient } from '#test/support/raw-client.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';
import { binaryHeader } from './headers.ts';

const HEAD_MS = 10_000;
const LINE = 'PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n';

async function scene(t: TestContext) {
  const clock = new VirtualClock();
  const told: (string | null)[] = [];
  let socket: Socket | null = null;
  let rest = '';
  const server = createServer({ allowHalfOpen: true }, (near) => {
    socket = near.on('error', () => {});
    t.after(() => near.destroy());
    readAnnouncedAddress(near, HEAD_MS, clock, (address) => {
      told.push(address);
      near.on('data', (bytes) => {
        rest += bytes.toString('latin1');
      });
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const client = RawClient.dial(t, (server.address() as AddressInfo).port);
  await until('it is connected', () => socket !== null);
  return { clock, told, client, near: socket as unknown as Socket, rest: () => rest };
}

describe('a connection that announces its client', () => {
  it('goes on with what came behind the header, all of it', async (t) => {
    const { clock, told, client, near, rest } = await scene(t);
    client.say(`${LINE}GET / HTTP`);
    await until('it is told', () => told.length === 1);
    assert.deepEqual(told, ['192.0.2.7']);
    assert.equal(rest(), '');
    near.resume();
    client.say('/1.1');
    await until('the rest has come', () => rest() === 'GET / HTTP/1.1');
    clock.advance(HEAD_MS);
    assert.ok(!near.destroyed);
  });

  it('may do so in any pieces', async (t) => {
    const { told, client, near, rest } = await scene(t);
    const header = binaryHeader({ source: [192, 0, 2, 7], detailsBytes: 40 }).toString('latin1');
    for (const byte of `${header}ab`) {
      client.say(byte);
      await new Promise(setImmediate);
    }
    await until('it is told', () => told.length === 1);
    assert.deepEqual(told, ['192.0.2.7']);
    near.resume();
    await until('the rest has come', () => rest() === 'ab');
  });

  it('is told of when it announces nothing that makes sense', async (t) => {
    const { told, client } = await scene(t);
    client.say('GET / HTTP/1.1\r\n');
    await until('it is told', () => told.length === 1);
    assert.deepEqual(told, ['malformed']);
  });

  it('ends without a word when it is late, or ends first', async (t) => {
    const late = await scene(t);
    late.client.say(LINE.slice(0, 10));
    await until('it has come', () => late.near.bytesRead === 10);
    late.clock.advance(HEAD_MS);
    assert.ok(late.near.destroyed);
    const gone = await scene(t);
    gone.client.say(LINE.slice(0, 10)).socket.end();
    await until('it is closed', () => gone.near.closed);
    assert.deepEqual([...late.told, ...gone.told], []);
  });
});
