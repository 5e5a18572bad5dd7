import assert from 'node:assert/strict';
import { buffer, text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import type { Reply } from '#actors/request/reply.ts';
import { codeOf } from '#core/errors.ts';
import { Fields } from '#core/fields.ts';
import { AHEAD_BYTES_MAX, DISCARDED_BYTES_MAX, HALF_CLOSED_MS } from '#http/h1-server/connection.ts';
import { until } from '#test/support/process.ts';
import { requestOf, statusesIn } from '#test/support/raw-client.ts';
import {
  answer,
  FIELDS_MAX,
  HEAD_BYTES_MAX,
  HEAD_MS,
  KEEP_ALIVE_MS,
  RATE_WINDOW_MS,
  serve,
  TARGET_BYTES_MAX,
} from './scene.ts';

const GET = requestOf('GET /');
const UPGRADE = requestOf('GET /chat', 'Connection: Upgrade', 'Upgrade: WebSocket');

/** Writes until a client that does not read keeps all of it waiting. */
async function fill(reply: Reply): Promise<void> {
  let drains = 0;
  const write = () => {
    drains++;
    while (reply.write(Buffer.alloc(65_536)));
  };
  reply.onDrain(write);
  write();
  let before: number;
  do {
    before = drains;
    await new Promise((resolve) => setTimeout(resolve, 50));
  } while (drains > before);
}

describe('a request', () => {
  it('arrives as it was sent, in whatever pieces', async (t) => {
    const { arrivals, dial } = await serve(t);
    const request = 'PUT /a?b HTTP/1.1\r\nhost: x\r\nX-a:  \xe9 \r\nX-A: 2\r\nContent-Length: 3\r\n\r\n';
    const client = dial();
    for (const byte of request) client.say(byte);
    await until('it has arrived', () => arrivals.length === 1);
    const [{ method, target, protocol, headers, bodyBytes, body, upgrade, peerAddress } = assert.fail()] =
      arrivals;
    assert.deepEqual([method, target, protocol, bodyBytes, upgrade], ['PUT', '/a?b', '1.1', 3, null]);
    assert.deepEqual(headers.flat(), ['host', 'x', 'X-a', '\xe9', 'X-A', '2', 'Content-Length', '3']);
    assert.equal(peerAddress, '127.0.0.1');
    for (const byte of 'abc') client.say(byte);
    assert.equal(await text(body ?? assert.fail()), 'abc');
  });

  it('has its body at once where all of it came with the head, and no more than that', async (t) => {
    const { arrivals, dial } = await serve(t);
    const client = dial().say(`${requestOf('PUT /1', 'Content-Length: 3')}abc${requestOf('GET /2')}`);
    await until('the first has arrived', () => arrivals.length === 1);
    const [first = assert.fail()] = arrivals;
    assert.equal(first.body, null);
    assert.equal(first.bodyBytes, 3);
    answer(first, 'one');
    await client.hears('one');
    await until('the second has arrived', () => arrivals.length === 2);
    assert.equal(arrivals[1]?.wholeBody, null);
    // What was read into is read into again.
    assert.equal(`${first.wholeBody}`, 'abc');
  });

  it('that waits to be told to go on, and sent all the same, is answered and keeps its connection', async (t) => {
    const { arrivals, dial } = await serve(t);
    const head = requestOf('PUT /', 'Content-Length: 3', 'Expect: 100-continue');
    const client = dial().say(`${head}abc`);
    await until('it has arrived', () => arrivals.length === 1);
    answer(arrivals[0] ?? assert.fail(), 'one');
    await client.hears('one');
    assert.doesNotMatch(client.received, /100 Continue|Connection: close/);
  });

  it('waits until the one before was answered and read whole', async (t) => {
    const { arrivals, dial } = await serve(t);
    const client = dial().say(`${requestOf('POST /1', 'Content-Length: 4')}ab`);
    await until('the first has arrived', () => arrivals.length === 1);
    answer(arrivals[0] ?? assert.fail(), 'one');
    await client.hears('one');
    client.say(`cd${requestOf('GET /2')}${requestOf('GET /3')}`);
    await until('the second has arrived', () => arrivals.length === 2);
    assert.equal(arrivals[1]?.target, '/2');
    answer(arrivals[1] ?? assert.fail(), 'two');
    await until('the third has arrived', () => arrivals.length === 3);
    answer(arrivals[2] ?? assert.fail(), 'three');
    await client.hears('three');
    assert.deepEqual(client.received.match(/one|two|three/g), ['one', 'two', 'three']);
  });

  it('is answered in its turn, however many come at once', async (t) => {
    // Each answer calls for the next request, which must not go down the stack.
    const { dial } = await serve(t, (arrival) => answer(arrival, 'x'));
    const client = dial().say(GET.repeat(20_000));
    await until('all are answered', () => statusesIn(client.received).length === 20_000);
  });

  it('that is not read ahead any further does not keep the connection from going on', async (t) => {
    const { arrivals, dial } = await serve(t);
    const many = requestOf('GET /', `X: ${'x'.repeat(1000)}`).repeat(100);
    const client = dial().say(many);
    for (let nth = 0; nth < 100; nth++) {
      await until('it has arrived', () => arrivals.length === nth + 1);
      answer(arrivals[nth] ?? assert.fail(), 'x');
    }
    await until('all are answered', () => statusesIn(client.received).length === 100);
  });
});

describe('a connection', () => {
  it('ends with the answer to as many requests as it may have, and says so', async (t) => {
    const { dial, arrivals } = await serve(t, (arrival) => answer(arrival, 'x'), {
      requestsPerConnectionMax: 3,
    });
    const received = await dial().say(GET.repeat(4)).ended();
    assert.equal(arrivals.length, 3);
    assert.deepEqual(received.match(/Connection: [\w-]+/g), [
      'Connection: keep-alive',
      'Connection: keep-alive',
      'Connection: close',
    ]);
  });
});

describe('what is no request', () => {
  for (const [bytes, cause] of [
    ['garbage\r\n\r\n', 'malformed_request'],
    ['\x16\x03\x01\x02\x00', 'malformed_request'],
    ['GET / HTTP/2.0\r\n\r\n', 'malformed_request'],
    [requestOf('POST /', 'Content-Length: 1', 'Content-Length: 2'), 'malformed_request'],
    [requestOf('POST /', 'Transfer-Encoding: gzip, chunked'), 'malformed_request'],
    [requestOf(`GET /${'a'.repeat(TARGET_BYTES_MAX)}`), 'target_too_long'],
    [requestOf('GET /', `X: ${'a'.repeat(HEAD_BYTES_MAX)}`), 'head_too_large'],
    [requestOf('GET /', ...Array(FIELDS_MAX).fill('X: y')), 'head_too_large'],
  ] as const) {
    it(`is refused: ${JSON.stringify(bytes.slice(0, 40))}`, async (t) => {
      const { dial, arrivals } = await serve(t);
      assert.equal(await dial().say(bytes).ended(), `refused: ${cause}`);
      assert.equal(arrivals.length, 0);
    });
  }

  it('is refused behind the answer to what was one', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(`${GET}garbage\r\n\r\n`);
    answer(arrival, 'one');
    assert.match(await client.ended(), /^HTTP\/1\.1 200 .*\r\n\r\nonerefused: malformed_request$/s);
  });

  it('within a body ends the body, and the connection with the answer', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(`${requestOf('POST /', 'Transfer-Encoding: chunked')}2\r\nab\r\nZ`);
    assert.ok(arrival.body);
    await assert.rejects(buffer(arrival.body), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
    answer(arrival, 'one', 400);
    client.say(GET);
    assert.deepEqual(statusesIn(await client.ended()), [400]);
  });
});

describe('time', () => {
  it('is given to a head, from its first byte', async (t) => {
    const { clock, dial, connections } = await serve(t);
    const client = dial().say(GET.slice(0, 10));
    await until('it has come', () => client.socket.bytesWritten === 10);
    await new Promise(setImmediate);
    clock.advance(HEAD_MS - 1);
    client.say(GET.slice(10, 12));
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(1);
    assert.equal(await client.ended(), 'refused: request_timeout');
    await connections.drain();
  });

  it('is given to a client that says nothing, who is not answered then', async (t) => {
    const { clock, dial, connections } = await serve(t);
    const client = dial();
    await until('it is connected', () => !client.socket.connecting);
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(HEAD_MS);
    assert.equal(await client.ended(), '');
    client.socket.end();
    await connections.drain();
  });

  it('is given between requests', async (t) => {
    const { clock, ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    clock.advance(KEEP_ALIVE_MS);
    answer(arrival, 'one');
    await client.hears('one');
    clock.advance(KEEP_ALIVE_MS - 1);
    assert.ok(!client.hasEnded);
    clock.advance(1);
    assert.deepEqual(statusesIn(await client.ended()), [200]);
  });

  it('is given to a client whose turn it is, and not to one that waits for us', async (t) => {
    const { clock, ask, outcomes } = await serve(t);
    const { client, arrival } = await ask(requestOf('POST /', 'Content-Length: 10'));
    arrival.reply.expectProgress(1000);
    arrival.reply.expectProgress(0);
    clock.advance(100_000);
    assert.ok(!client.socket.closed);
    arrival.reply.expectProgress(1000);
    arrival.body?.resume();
    for (let beats = 0; beats < 3; beats++) {
      clock.advance(999);
      const before = client.socket.bytesWritten;
      client.say('a');
      await until('it is sent', () => client.socket.bytesWritten > before);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.ok(arrival.body?.errored === null);
    clock.advance(1000);
    assert.equal(codeOf(arrival.body?.errored), 'request_body_slow');
    answer(arrival, 'slow', 408);
    assert.match(await client.ended(), / 408 .*\r\nConnection: close\r\n/s);
    assert.deepEqual(outcomes, ['responded']);
  });

  it('is over for a client that sends too slowly, however often', async (t) => {
    // Whoever sent a byte before each deadline was waited for without end.
    const { clock, ask } = await serve(t);
    const { client, arrival } = await ask(requestOf('POST /', 'Content-Length: 1000'));
    arrival.reply.expectProgress(60_000, 100);
    arrival.body?.resume();
    let bytes = 0;
    arrival.body?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    for (let beats = 1; beats <= 9; beats++) {
      clock.advance(1000);
      client.say('a');
      await until('it has come', () => bytes === beats);
    }
    assert.equal(arrival.body?.errored, null);
    clock.advance(1000);
    // Nine bytes at a hundred a second.
    clock.advance(89);
    assert.equal(arrival.body?.errored, null);
    clock.advance(1);
    assert.equal(codeOf(arrival.body?.errored), 'request_body_slow');
  });

  it('is given to a client to read, by how much there is', async (t) => {
    const { clock, ask, outcomes } = await serve(t);
    const { client, arrival } = await ask(GET);
    client.socket.pause();
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.expectProgress(60_000, 1024 * 1024);
    await fill(arrival.reply);
    clock.advance(RATE_WINDOW_MS - 1);
    assert.deepEqual(outcomes, []);
    clock.advance(1);
    await until('it is cut', () => outcomes.length > 0);
  });

  it('is not won by sending while there is an answer to read', async (t) => {
    // A client that never read kept its connection by sending a byte now and then.
    const { clock, ask, outcomes } = await serve(t);
    const { client, arrival } = await ask(GET);
    client.socket.pause();
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.expectProgress(60_000);
    await fill(arrival.reply);
    clock.advance(59_999);
    client.say('G');
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(1);
    await until('it is cut', () => outcomes.length > 0);
  });

  it('is given to a client that has read all there is, and waits for more', async (t) => {
    const { clock, ask, outcomes, sockets } = await serve(t);
    const { client, arrival } = await ask(GET);
    const [socket = assert.fail()] = sockets;
    client.socket.pause();
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.expectProgress(60_000, 1024);
    // So little that nothing tells when it was read.
    while (socket.writableLength === 0) {
      arrival.reply.write(Buffer.alloc(16_384));
      await new Promise(setImmediate);
    }
    assert.ok(!socket.writableNeedDrain);
    client.socket.resume();
    await until('it is read', () => socket.writableLength === 0);
    clock.advance(RATE_WINDOW_MS * 2);
    assert.ok(!socket.destroyed);
    clock.advance(60_000);
    await until('it is cut', () => outcomes.length > 0);
  });

  it('is given to a client that has an answer to read, though its body has ended', async (t) => {
    // The end of the body called off the time for reading the answer, which was then kept for ever.
    const { clock, ask, outcomes } = await serve(t);
    const { arrival } = await ask(GET);
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.expectProgress(1000);
    arrival.reply.expectProgress(0);
    await new Promise(setImmediate);
    clock.advance(1000);
    await until('it is cut', () => outcomes.length > 0);
  });

  it('is given to a client that does not read the end of its answer', async (t) => {
    const { clock, ask, outcomes } = await serve(t);
    const { client, arrival } = await ask(GET);
    client.socket.pause();
    answer(arrival, 'x'.repeat(64 * 1024 * 1024));
    assert.deepEqual(outcomes, []);
    clock.advance(KEEP_ALIVE_MS);
    await until('it is cut', () => outcomes.length > 0);
    assert.deepEqual(outcomes, ['abandoned']);
  });
});

describe('a body', () => {
  it('is read no faster than it is taken', async (t) => {
    const { ask } = await serve(t);
    const total = 32 * 1024 * 1024;
    const { client, arrival } = await ask(requestOf('POST /', `Content-Length: ${total}`));
    client.say('x'.repeat(total));
    let last = -1;
    await until('no more is sent', async () => {
      const sent = client.socket.bytesWritten - client.socket.writableLength;
      const isStill = sent === last && sent > 0;
      last = sent;
      await new Promise((resolve) => setTimeout(resolve, 50));
      return isStill;
    });
    const taken = arrival.body?.readableLength ?? 0;
    assert.ok(taken < 256 * 1024, `${taken} bytes were read for nobody`);
    assert.equal((await buffer(arrival.body ?? assert.fail())).length, total);
  });

  it('that nobody wants is dropped up to a bound, and keeps the connection', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(requestOf('POST /', `Content-Length: ${DISCARDED_BYTES_MAX}`));
    answer(arrival, 'one');
    await client.hears('one');
    client.say('x'.repeat(DISCARDED_BYTES_MAX) + GET);
    assert.match(client.received, /\r\nConnection: keep-alive\r\n/);
  });

  it('that nobody wants has to come in time', async (t) => {
    const { ask, clock } = await serve(t);
    const { client, arrival } = await ask(requestOf('POST /', 'Content-Length: 100'));
    answer(arrival, 'one');
    await client.hears('one');
    clock.advance(KEEP_ALIVE_MS - 1);
    client.say('drip');
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(1);
    assert.deepEqual(statusesIn(await client.ended()), [200]);
  });

  for (const framing of [`Content-Length: ${DISCARDED_BYTES_MAX + 1}`, 'Transfer-Encoding: chunked'])
    it(`that may be longer ends the connection with the answer: ${framing}`, async (t) => {
      const { ask } = await serve(t);
      const { client, arrival } = await ask(requestOf('POST /', framing));
      answer(arrival, 'one');
      assert.match(await client.ended(), /\r\nConnection: close\r\n/);
    });

  it('that was read is not counted as what may come', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(requestOf('POST /', `Content-Length: ${DISCARDED_BYTES_MAX + 2}`));
    arrival.body?.resume();
    client.say('ab');
    await until('it is read', () => arrival.body?.readableDidRead === true);
    answer(arrival, 'one');
    await client.hears('one');
    assert.match(client.received, /\r\nConnection: keep-alive\r\n/);
  });

  it('that the client breaks off is noticed as its leaving', async (t) => {
    const { ask, outcomes } = await serve(t);
    const { client, arrival } = await ask(`${requestOf('POST /', 'Content-Length: 3')}ab`);
    client.socket.end();
    await until('it is noticed', () => outcomes.length > 0);
    assert.ok(arrival.body?.destroyed);
    assert.equal(await client.ended(), '');
  });
});

describe('a client that ends its side', () => {
  it('before it said anything is closed', async (t) => {
    const { dial } = await serve(t);
    for (const bytes of ['', GET.slice(0, 9)]) {
      const client = dial().say(bytes);
      client.socket.end();
      assert.equal(await client.ended(), '');
    }
  });

  it('after its request is answered, and closed', async (t) => {
    const { ask, arrivals, clock } = await serve(t);
    const { client, arrival } = await ask(requestOf('GET /1') + requestOf('GET /2'));
    client.socket.end();
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(HALF_CLOSED_MS - 1);
    answer(arrival, 'one');
    await until('the second has arrived', () => arrivals.length === 2);
    clock.advance(HALF_CLOSED_MS - 1);
    answer(arrivals[1] ?? assert.fail(), 'two');
    const received = await client.ended();
    assert.match(received, /one.*\r\nConnection: close\r\n.*two$/s);
  });

  it('may have left: it is not waited for any longer than that', async (t) => {
    const { ask, clock, outcomes } = await serve(t);
    for (const isBegun of [false, true]) {
      const { client, arrival } = await ask(GET);
      if (isBegun) {
        arrival.reply.head(200, 'OK', new Fields());
        arrival.reply.expectProgress(60_000);
        await client.hears('200');
      }
      client.socket.end();
      await new Promise((resolve) => setTimeout(resolve, 20));
      outcomes.length = 0;
      clock.advance(HALF_CLOSED_MS);
      await until('it is given up', () => outcomes.length > 0);
      assert.deepEqual(outcomes, ['abandoned']);
    }
  });

  it('and reads slowly has the time that it takes', async (t) => {
    const { ask, clock, outcomes } = await serve(t);
    const { client, arrival } = await ask(GET);
    client.socket.pause();
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.expectProgress(60_000);
    while (arrival.reply.write(Buffer.alloc(65_536)));
    client.socket.end();
    await new Promise((resolve) => setTimeout(resolve, 20));
    clock.advance(59_999);
    assert.deepEqual(outcomes, []);
    clock.advance(1);
    await until('it is given up', () => outcomes.length > 0);
  });
});

describe('a connection', () => {
  it('ends with the answer, if the client asks for that, or for a tunnel, or if we drain', async (t) => {
    const { ask, state } = await serve(t);
    for (const request of [
      requestOf('GET /', 'Connection: close'),
      GET.replace('/1.1', '/1.0'),
      requestOf('CONNECT a:80'),
    ]) {
      const { client, arrival } = await ask(request + GET);
      answer(arrival, 'one');
      assert.deepEqual(statusesIn(await client.ended()), [200], request);
    }
    const { client, arrival } = await ask(
      requestOf('GET /', 'Connection: keep-alive').replace('/1.1', '/1.0'),
    );
    answer(arrival, 'one');
    await client.hears('Connection: keep-alive');
    state.isDraining = true;
    const last = await ask(GET);
    answer(last.arrival, 'one');
    assert.match(await last.client.ended(), /\r\nConnection: close\r\n/);
  });

  it('ends with a request that came to its end without an answer', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    arrival.ended('truncated');
    assert.equal(await client.ended(), '');
  });

  it('is busy as long as its request is under way', async (t) => {
    const { ask, connections, clock } = await serve(t);
    const { client, arrival } = await ask(GET);
    const drained = connections.drain();
    clock.advance(60_000);
    answer(arrival, 'one');
    await client.hears('one');
    clock.advance(1000);
    assert.equal(await client.ended(), client.received);
    client.socket.end();
    await drained;
  });
});

describe('an upgrade', () => {
  it('hands over the connection with all that the client said ahead', async (t) => {
    const { ask, outcomes } = await serve(t);
    const { client, arrival } = await ask(`${UPGRADE}one `);
    assert.equal(arrival.upgrade, 'websocket');
    client.say('two');
    await new Promise((resolve) => setTimeout(resolve, 20));
    const tunnel =
      arrival.reply.switchProtocols(Fields.of(['Upgrade', 'websocket', 'X-a', '\xff'])) ?? assert.fail();
    client.say(' three');
    let heard = '';
    tunnel.on('data', (chunk: Buffer) => {
      heard += `${chunk}`;
    });
    tunnel.resume();
    await until('all has come', () => heard === 'one two three');
    tunnel.end('raw');
    client.socket.end();
    assert.equal(
      await client.ended(),
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nX-a: \xff\r\n\r\nraw',
    );
    assert.deepEqual(outcomes, []);
    assert.equal(arrival.reply.status, 101);
  });

  it('reads no more than a bound ahead, and the rest when it is switched', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(UPGRADE);
    const bytes = 32 * 1024 * 1024;
    client.say('a'.repeat(bytes));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.ok(client.socket.writableLength > 0);
    const tunnel = arrival.reply.switchProtocols(new Fields()) ?? assert.fail();
    let heard = 0;
    tunnel.on('data', (chunk: Buffer) => {
      heard += chunk.length;
    });
    tunnel.resume();
    await until('all has come', () => heard === bytes);
    assert.ok(AHEAD_BYTES_MAX < bytes);
  });

  it('that is declined leaves the connection as it was', async (t) => {
    const { ask, arrivals } = await serve(t);
    const { client, arrival } = await ask(UPGRADE + GET);
    answer(arrival, 'no', 403);
    await until('the next one has arrived', () => arrivals.length === 2);
    answer(arrivals[1] ?? assert.fail(), 'yes');
    await client.hears('yes');
  });

  it('is only for GET in HTTP/1.1 without a body, and for what we tunnel', async (t) => {
    const { ask } = await serve(t);
    for (const request of [
      UPGRADE.replace('/1.1', '/1.0'),
      UPGRADE.replace('GET', 'POST'),
      UPGRADE.replace('WebSocket', 'h2c'),
      UPGRADE.replace('Connection: Upgrade', 'Connection: close'),
      UPGRADE.replace('Upgrade:', 'Content-Length: 1\r\nUpgrade:'),
    ])
      assert.equal((await ask(request)).arrival.upgrade, null, request);
  });

  for (const how of ['ends its side', 'resets'] as const) {
    it(`is over as soon as the client ${how}`, async (t) => {
      const { ask, outcomes } = await serve(t);
      const { client, arrival } = await ask(UPGRADE);
      if (how === 'resets') client.socket.resetAndDestroy();
      else client.socket.end('bye');
      await until('it is noticed', () => outcomes.length > 0);
      assert.equal(arrival.reply.switchProtocols(new Fields()), null);
      assert.deepEqual(outcomes, ['abandoned']);
    });
  }
});
