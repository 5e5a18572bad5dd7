import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { codeOf, SignalboxError } from '#core/errors.ts';
import { KEPT_CHUNKS_MAX, RequestBody } from '#http/request-body.ts';
import { HeldBytes } from '#shared/held-bytes.ts';
import { until } from '#test/support/process.ts';

const KEPT_MAX = 1000;

function bodyOf(
  source: Readable,
  bytes = Number.POSITIVE_INFINITY,
  keptBytesMax = KEPT_MAX,
  bytesMax: number | null = null,
) {
  const calls: string[] = [];
  const hooks = {
    invite: () => void calls.push('invite'),
    awaitClient: () => {},
  };
  return { body: new RequestBody(source, bytes, { keptBytesMax, bytesMax }, hooks), calls };
}

function open(body: RequestBody): Readable {
  return body.open();
}

/** A real request whose client has sent `text` as the start of its chunked body. */
async function arrive(t: TestContext, text: string): Promise<{ client: Socket; incoming: IncomingMessage }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.on('error', () => {});
  t.after(() => {
    client.destroy();
    server.closeAllConnections();
    server.close();
  });
  client.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
  const [incoming] = (await once(server, 'request')) as [IncomingMessage];
  if (text !== '') client.write(chunkOf(text));
  return { client, incoming };
}

function chunkOf(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

describe('a request body', () => {
  it('is invited once, and only when somebody reads it', async () => {
    const { body, calls } = bodyOf(Readable.from([Buffer.from('ab')]));
    const first = open(body);
    assert.deepEqual(calls, []);
    first.read();
    first.destroy();
    assert.equal(`${await buffer(open(body))}`, 'ab');
    assert.deepEqual(calls, ['invite']);
  });

  it('gives nothing more to a reader that was replaced', async () => {
    const source = new Readable({ read() {} });
    const { body } = bodyOf(source);
    const first = open(body).on('data', (chunk) => seen.push(chunk));
    const seen: Buffer[] = [];
    source.push('one');
    await until('the first byte has come', () => seen.length > 0);
    const second = open(body);
    source.push('two');
    source.push(null);
    assert.equal(`${await buffer(second)}`, 'onetwo');
    assert.equal(`${Buffer.concat(seen)}`, 'one');
    first.destroy();
    assert.ok(body.isComplete);
  });
});

describe('replay', () => {
  const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 8 });
  const readers = fc.array(fc.record({ bytes: fc.nat(1500), isLeft: fc.boolean() }), { maxLength: 5 });

  it('gives every byte to the last reader, or fails where they are not kept', async () => {
    await fc.assert(
      fc.asyncProperty(chunks, readers, async (pieces, earlier) => {
        const whole = Buffer.concat(pieces);
        const { body } = bodyOf(Readable.from(pieces.map((piece) => Buffer.from(piece))));
        for (const { bytes, isLeft } of earlier) {
          const reader = open(body);
          await readSome(reader, bytes);
          if (!isLeft) reader.destroy();
        }
        const { isReplayable } = body;
        if (whole.length <= KEPT_MAX) assert.ok(isReplayable);
        const isFirst = earlier.length === 0;
        if (isReplayable || isFirst) assert.deepEqual(await buffer(open(body)), whole);
        else await assert.rejects(buffer(open(body)), { code: 'request_body_broken', blame: 'client' });
      }),
      { seed: 9, numRuns: 150 },
    );
  });

  it('has the trailers again, once all of it was read', async (t) => {
    const { client, incoming } = await arrive(t, 'one');
    const { body } = bodyOf(incoming);
    const first = open(body);
    await once(first, 'readable');
    assert.deepEqual(body.trailers, []);
    client.write('0\r\nX-Sum: 1\r\n\r\n');
    for (let times = 0; times < 2; times++) {
      assert.equal(`${await buffer(open(body))}`, 'one');
      assert.deepEqual(body.trailers, ['X-Sum', '1']);
    }
  });

  it('ends where the bound is passed, not before', async () => {
    for (const [bytes, isReplayable] of [
      [KEPT_MAX, true],
      [KEPT_MAX + 1, false],
    ] as const) {
      const { body } = bodyOf(Readable.from([Buffer.alloc(bytes - 1), Buffer.alloc(1)]));
      await buffer(open(body));
      assert.equal(body.isReplayable, isReplayable);
    }
  });

  it('is not paid for with many tiny chunks', async () => {
    const { body } = bodyOf(
      Readable.from(Array.from({ length: KEPT_CHUNKS_MAX + 1 }, () => Buffer.alloc(1))),
      Number.POSITIVE_INFINITY,
      1_000_000,
    );
    assert.equal((await buffer(open(body))).length, KEPT_CHUNKS_MAX + 1);
    assert.ok(!body.isReplayable);
  });
});

describe('a first part', () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 400 }), { minLength: 1, maxLength: 8 });
  const received = (body: RequestBody) => new Promise((resolve) => body.receive(resolve));

  it('is as much as is kept, and nothing of the body gets lost', async () => {
    await fc.assert(
      fc.asyncProperty(pieces, fc.boolean(), async (chunks, isOpenedTwice) => {
        const whole = Buffer.concat(chunks);
        const { body, calls } = bodyOf(Readable.from(chunks.map((chunk) => Buffer.from(chunk))));
        assert.equal(await received(body), null);
        assert.deepEqual(calls, ['invite']);
        assert.equal(body.isComplete, whole.length <= KEPT_MAX);
        // Whatever came first, an attempt that has read nothing costs nothing.
        if (isOpenedTwice) {
          const first = open(body);
          await new Promise(setImmediate);
          first.destroy();
        }
        assert.ok(body.isReplayable);
        assert.deepEqual(await buffer(open(body)), whole);
        assert.equal(body.isReplayable, whole.length <= KEPT_MAX);
      }),
      { numRuns: 150 },
    );
  });

  it('is as many chunks as are kept', async () => {
    const chunks = Array.from({ length: KEPT_CHUNKS_MAX + 1 }, () => Buffer.alloc(1));
    const { body } = bodyOf(Readable.from(chunks), undefined, 1_000_000);
    assert.equal(await received(body), null);
    assert.equal(body.readBytes, KEPT_CHUNKS_MAX);
    assert.equal((await buffer(open(body))).length, KEPT_CHUNKS_MAX + 1);
  });

  it('is what has come when nobody waits any longer', async (t) => {
    const { client, incoming } = await arrive(t, 'one');
    const { body } = bodyOf(incoming);
    let told = 0;
    const stop = body.receive(() => told++);
    await until('it has come', () => body.readBytes === 3);
    stop();
    client.end(`${chunkOf('two')}0\r\n\r\n`);
    assert.equal(`${await buffer(open(body))}`, 'onetwo');
    assert.equal(told, 0);
  });

  it('breaks off with its client, be it gone, too slow, or too long', async (t) => {
    const { client, incoming } = await arrive(t, 'one');
    const gone = received(bodyOf(incoming).body);
    client.destroy();
    assert.equal(codeOf(await gone), 'request_body_broken');

    const slow = new Readable({ read() {} }).on('error', () => {});
    const waiting = received(bodyOf(slow).body);
    slow.destroy(new SignalboxError('request_body_slow', 'client', 'slow'));
    assert.equal(codeOf(await waiting), 'request_body_slow');

    const { body } = bodyOf(Readable.from([Buffer.alloc(20)]), undefined, KEPT_MAX, 10);
    assert.equal(codeOf(await received(body)), 'request_body_too_large');
  });
});

describe('a body that is too long', () => {
  it('breaks off at the chunk that passes the bound, which nobody gets', async () => {
    for (const [bytesMax, isCut] of [
      [10, false],
      [9, true],
    ] as const) {
      const pieces = [Buffer.alloc(4), Buffer.alloc(5), Buffer.alloc(1)];
      const { body } = bodyOf(Readable.from(pieces), undefined, KEPT_MAX, bytesMax);
      const reader = open(body);
      let bytes = 0;
      reader.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      const [error] = await once(reader, isCut ? 'error' : 'end');
      assert.equal(error?.code, isCut ? 'request_body_too_large' : undefined);
      assert.equal(bytes, isCut ? 9 : 10);
      assert.equal(body.isReplayable, !isCut);
    }
  });
});

describe('a client', () => {
  it('is read no faster than its body is taken', async (t) => {
    const { client, incoming } = await arrive(t, '');
    const { body } = bodyOf(incoming);
    const reader = open(body);
    reader.read(0);
    const total = 16 * 1024 * 1024;
    for (let sent = 0; sent < total; sent += 65_536) client.write(chunkOf('x'.repeat(65_536)));
    client.end('0\r\n\r\n');
    await until('the reader is full', () => reader.readableLength >= reader.readableHighWaterMark);
    let last = -1;
    await until('no more is read', async () => {
      const isStill = incoming.socket.bytesRead === last;
      last = incoming.socket.bytesRead;
      await new Promise((resolve) => setTimeout(resolve, 20));
      return isStill;
    });
    assert.ok(last < 1024 * 1024, `${last} bytes were read for a reader that takes none`);
    assert.equal((await buffer(reader)).length, total);
  });

  it('that breaks off fails the reader, and the body cannot be sent again', async (t) => {
    const { client, incoming } = await arrive(t, 'start');
    const { body } = bodyOf(incoming);
    const reader = open(body);
    await once(reader, 'readable');
    client.destroy();
    const [error] = await once(reader, 'error');
    assert.ok(error instanceof SignalboxError && error.blame === 'client');
    assert.ok(!body.isReplayable && !body.isComplete);
    await assert.rejects(buffer(open(body)), { code: 'request_body_broken' });
  });

  it('that broke off before anybody read fails the reader too', async (t) => {
    // Nothing told such a reader: it waited for a deadline.
    const { client, incoming } = await arrive(t, 'start');
    client.destroy();
    await until('the request is destroyed', () => incoming.destroyed);
    const { body } = bodyOf(incoming);
    await assert.rejects(buffer(open(body)), { code: 'request_body_broken' });
  });

  it('that breaks off between two readers fails the second', async (t) => {
    const { client, incoming } = await arrive(t, 'start');
    const { body } = bodyOf(incoming);
    const first = open(body);
    await once(first, 'readable');
    first.destroy();
    client.destroy();
    await until('the request is destroyed', () => incoming.destroyed);
    await assert.rejects(buffer(open(body)), { code: 'request_body_broken' });
  });

  it('sends on, unharmed, after a reader was destroyed midway', async (t) => {
    const { client, incoming } = await arrive(t, 'one');
    const { body } = bodyOf(incoming);
    const first = open(body);
    await once(first, 'readable');
    first.destroy(new Error('the attempt failed'));
    const second = open(body);
    client.end(`${chunkOf('two')}0\r\n\r\n`);
    assert.equal(`${await buffer(second)}`, 'onetwo');
    assert.ok(body.isComplete);
  });
});

describe('a reader that nobody listens to yet', () => {
  it('fails without a sound', async (t) => {
    // An attempt waiting in the transport's queue: the error had no listener, and ended the worker.
    const { client, incoming } = await arrive(t, 'start');
    const { body } = bodyOf(incoming);
    const first = open(body);
    await once(first, 'readable');
    const second = open(body);
    client.destroy();
    await until('the reader has failed', () => second.errored !== null && second.closed);
  });
});

describe('what nobody wants any more', () => {
  it('is read to its end, so that the connection can go on', async (t) => {
    const { client, incoming } = await arrive(t, 'one');
    const { body, calls } = bodyOf(incoming);
    const reader = open(body);
    await once(reader, 'readable');
    body.discard();
    client.write(`${chunkOf('x'.repeat(256 * 1024 - 1024))}0\r\n\r\n`);
    await once(incoming, 'end');
    assert.deepEqual(calls, ['invite']);
    assert.ok(body.isComplete && !body.isReplayable);
    assert.equal(`${reader.read()}`, 'one');
    assert.equal(reader.read(), null);
  });
});

/** Reads at least so many bytes, or what there is. */
async function readSome(reader: Readable, bytes: number): Promise<void> {
  let left = bytes;
  while (left > 0 && !reader.readableEnded && !reader.destroyed) {
    const chunk = reader.read() as Buffer | null;
    if (chunk !== null) left -= chunk.length;
    else if (!reader.readableEnded)
      await Promise.race([once(reader, 'readable'), once(reader, 'close')]).catch(() => {});
  }
}

describe('what is kept of bodies', () => {
  const bounds = { keptBytesMax: 1000, bytesMax: null };
  const hooks = { invite() {}, awaitClient() {} };

  async function kept(max: number) {
    const held = HeldBytes.create(1, max);
    const source = new PassThrough();
    const body = new RequestBody(source, Number.POSITIVE_INFINITY, bounds, hooks, held);
    const reader = open(body);
    source.write(Buffer.alloc(300));
    await once(reader, 'readable');
    assert.equal(reader.read().length, 300);
    return { held, source, body, reader };
  }

  it('is counted until it is needed no more', async () => {
    const { held, body } = await kept(10_000);
    assert.equal(held.total, 300);
    assert.ok(body.isReplayable);
    body.forget();
    body.forget();
    assert.equal(held.total, 0);
  });

  it('is counted until it is too much', async () => {
    const { held, source, body, reader } = await kept(10_000);
    source.write(Buffer.alloc(800));
    await once(reader, 'readable');
    assert.equal(held.total, 0);
    assert.ok(!body.isReplayable);
  });

  it('is nothing where the instance holds so much already, and the body passes all the same', async () => {
    const held = HeldBytes.create(1, 1000);
    held.add(500);
    const source = Readable.from([Buffer.from('body')]);
    const body = new RequestBody(source, 4, bounds, hooks, held);
    assert.equal(await text(open(body)), 'body');
    assert.ok(!body.isReplayable);
    assert.equal(held.total, 500);
  });
});
