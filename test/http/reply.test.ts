import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { HttpReply } from '#http/reply.ts';
import { until } from '#test/support/process.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

type Arrived = {
  incoming: IncomingMessage;
  response: ServerResponse<IncomingMessage> & { req: IncomingMessage };
};

/** A client that sends `bytes`, and a server that keeps what arrives for the test to answer. */
async function serve(t: TestContext, bytes: string) {
  const arrivals: Arrived[] = [];
  const server = createServer();
  const take = (
    incoming: IncomingMessage,
    response: ServerResponse<IncomingMessage> & { req: IncomingMessage },
  ) => arrivals.push({ incoming, response });
  server.on('request', take).on('checkContinue', take);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  t.after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  client.write(bytes);
  const expected = bytes.split('HTTP/1.1\r\n').length - 1;
  await until('the requests have arrived', () => arrivals.length === expected);
  return { client, arrivals };
}

async function replyTo(t: TestContext, bytes: string, { awaitsContinue = false, isClosing = false } = {}) {
  const { client, arrivals } = await serve(t, bytes);
  const [{ incoming, response }] = arrivals as [Arrived];
  const events: string[] = [];
  const reply = new HttpReply(response, awaitsContinue, () => isClosing);
  reply.onSent(() => events.push('sent'));
  reply.onLeft(() => events.push('left'));
  return { client, incoming, reply, events };
}

/** All that the server sends until it closes the connection. */
async function received(client: Socket): Promise<string> {
  client.setEncoding('latin1');
  return text(client);
}

describe('an answer', () => {
  it('goes out as given: order, case, duplicates, bytes', async (t) => {
    const { client, reply } = await replyTo(t, GET, { isClosing: true });
    reply.head(299, 'Fine \xe9', ['x-B', '1', 'X-b', '\xff', 'Content-Length', '2', 'Date', 'now']);
    reply.write(Buffer.from([0xff]));
    reply.write('!');
    reply.end();
    assert.equal(
      await received(client),
      'HTTP/1.1 299 Fine \xe9\r\nx-B: 1\r\nX-b: \xff\r\nContent-Length: 2\r\nDate: now\r\nConnection: close\r\n\r\n\xff!',
    );
  });

  it('keeps the connection unless it is closing', async (t) => {
    const { client, reply, events } = await replyTo(t, GET);
    reply.head(204, 'No Content', []);
    reply.end();
    const [answer] = await once(client, 'data');
    assert.match(`${answer}`, /\r\nConnection: keep-alive\r\n/);
    await until('it is sent', () => events.includes('sent'));
    client.destroy();
    await once(client, 'close');
    assert.deepEqual(events, ['sent']);
  });

  it('shows its head before there is a body', async (t) => {
    const { client, reply } = await replyTo(t, GET);
    reply.head(200, 'OK', []);
    const [answer] = await once(client, 'data');
    assert.match(`${answer}`, /^HTTP\/1.1 200 OK\r\n.*\r\n\r\n$/s);
  });

  it('never lets a line break into a header', async (t) => {
    const { reply } = await replyTo(t, GET);
    for (const headers of [
      ['X', 'a\r\nSet-Cookie: b'],
      ['X\r\nY', 'a'],
      ['X', 'a\nb'],
      ['X', 'a\0'],
      ['X Y', 'a'],
    ])
      assert.throws(() => reply.head(200, 'OK', headers));
    assert.throws(() => reply.head(200, 'OK\r\nX: y', []));
  });

  it('asks to wait where the client does not read, and says when to go on', async (t) => {
    const { client, reply } = await replyTo(t, GET);
    let drains = 0;
    reply.onDrain(() => drains++);
    reply.head(200, 'OK', []);
    const chunk = Buffer.alloc(65_536);
    let written = 0;
    do written += chunk.length;
    while (reply.write(chunk) && written < 1 << 26);
    assert.ok(written < 1 << 26);
    client.resume();
    await until('it goes on', () => drains > 0);
  });
});

describe('a client that leaves', () => {
  it('is noticed once', async (t) => {
    const { client, reply, events } = await replyTo(t, GET);
    reply.head(200, 'OK', ['Content-Length', '10']);
    reply.write('part');
    assert.ok(!reply.isGone);
    client.destroy();
    await until('it is noticed', () => events.length > 0);
    assert.ok(reply.isGone);
    reply.write('more');
    reply.end();
    reply.cut();
    assert.deepEqual(events, ['left']);
  });

  it('is noticed by an answer that still waits for its turn', async (t) => {
    const { client, arrivals } = await serve(t, GET + GET);
    const events: string[] = [];
    for (const [nth, { response }] of arrivals.entries())
      new HttpReply(response, false, () => false).onLeft(() => events.push(`${nth} left`));
    client.destroy();
    await until('both have noticed', () => events.length === 2);
    assert.deepEqual(events, ['0 left', '1 left']);
  });
});

describe('a client that does nothing', () => {
  it('is cut after its time, if it is its turn', async (t) => {
    const { client, reply, events } = await replyTo(t, GET);
    reply.expectProgress(20);
    reply.expectProgress(0);
    await new Promise((resolve) => setTimeout(resolve, 40));
    assert.ok(!client.closed);
    reply.expectProgress(20);
    await until('it is cut', () => client.closed || client.readableEnded || events.includes('left'));
  });

  it('is cut though its body has ended, while it has an answer to read', async (t) => {
    // The end of the body called off the time for reading the answer, which was then kept for ever.
    const { reply, events } = await replyTo(t, GET);
    reply.head(200, 'OK', []);
    reply.expectProgress(20);
    reply.expectProgress(0);
    await until('it is cut', () => events.includes('left'));
  });
});

describe('a cut', () => {
  it('shows the client that the answer is not whole', async (t) => {
    const { client, reply, events } = await replyTo(t, GET);
    reply.head(200, 'OK', []);
    reply.write('part');
    await once(client, 'data');
    reply.cut();
    const rest = await received(client);
    assert.ok(!rest.endsWith('0\r\n\r\n'));
    await until('it is over', () => events.length > 0);
    assert.deepEqual(events, ['left']);
  });

  it('ends the connection though the answer still waits for its turn', async (t) => {
    // Nothing broke such a connection, and its client waited for ever.
    const { client, arrivals } = await serve(t, GET + GET);
    const [, second] = arrivals.map(({ response }) => new HttpReply(response, false, () => false));
    second?.head(200, 'OK', ['Content-Length', '9']);
    second?.cut();
    assert.equal(await received(client), '');
  });
});

describe('100 Continue', () => {
  const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n';

  it('is sent once to a client that waits for it', async (t) => {
    const { client, reply } = await replyTo(t, POST, { awaitsContinue: true, isClosing: true });
    reply.inviteBody();
    reply.inviteBody();
    reply.head(200, 'OK', ['Content-Length', '0', 'Date', 'now']);
    reply.end();
    client.write('ab');
    assert.match(await received(client), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  });

  it('is not sent to anyone else', async (t) => {
    const { client, reply } = await replyTo(t, POST, { isClosing: true });
    reply.inviteBody();
    reply.head(200, 'OK', ['Content-Length', '0', 'Date', 'now']);
    reply.end();
    assert.match(await received(client), /^HTTP\/1.1 200 OK\r\n/);
  });
});
