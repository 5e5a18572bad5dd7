import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { readInto } from '#http/h1-server/read-into.ts';
import { CLIENT_READS, kept } from '#http/read-buffers.ts';

async function accepted(t: TestContext): Promise<{ client: Socket; socket: Socket }> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => server.close());
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  t.after(() => {
    client.destroy();
    socket.destroy();
  });
  return { client, socket };
}

describe('a socket that a server accepted', () => {
  it('reads into the one buffer, and not as a stream', async (t) => {
    const { client, socket } = await accepted(t);
    const streamed: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => streamed.push(chunk));
    const bytes = new Promise((resolve) => {
      assert.equal(
        readInto(socket, (count) => {
          resolve(CLIENT_READS.toString('latin1', 0, count));
          return true;
        }),
        true,
      );
    });
    client.write('hello');
    assert.equal(await bytes, 'hello');
    assert.deepEqual(streamed, []);
  });

  it('still streams what is put back, and tells of its end', async (t) => {
    const { client, socket } = await accepted(t);
    readInto(socket, () => true);
    socket.unshift(Buffer.from('put back'));
    const data = once(socket, 'data');
    const end = once(socket, 'end');
    client.end('read');
    assert.deepEqual(await data, [Buffer.from('put back')]);
    await end;
  });

  it('is not read while it is paused', async (t) => {
    const { client, socket } = await accepted(t);
    const counts: number[] = [];
    readInto(socket, (count) => {
      counts.push(count);
      return true;
    });
    socket.pause();
    client.end('abc');
    await once(client, 'finish');
    await nextTurn();
    await nextTurn();
    assert.deepEqual(counts, []);
    socket.resume();
    await once(socket, 'end');
    assert.deepEqual(counts, [3]);
  });

  it('has one reader', async (t) => {
    const { socket } = await accepted(t);
    assert.equal(
      readInto(socket, () => true),
      true,
    );
    assert.equal(
      readInto(socket, () => true),
      false,
    );
  });
});

describe('bytes of a read', () => {
  it('are copied to be kept, and others are not', () => {
    const lent = CLIENT_READS.subarray(0, 3);
    lent.write('abc');
    const copy = kept(lent);
    lent.write('xyz');
    assert.equal(copy.toString(), 'abc');
    const own = Buffer.from('own');
    assert.equal(kept(own), own);
  });
});
