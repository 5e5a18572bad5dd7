import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type ClientHttp2Stream, constants } from 'node:http2';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { codeOf } from '#core/errors.ts';
import { Fields } from '#core/fields.ts';
import { PINGS } from '#http/h2-server/bounds.ts';
import { CLOSE_MS_MAX } from '#http/h2-server/connection.ts';
import { until } from '#test/support/process.ts';
import { ERROR, encode, FLAG, FRAME, frameOf, get, post } from '#test/support/raw-h2-client.ts';
import { answer, HEAD_MS, KEEP_ALIVE_MS, RATE_WINDOW_MS, STREAMS_MAX, serve } from './scene.ts';

const { NGHTTP2_CANCEL } = constants;

/** The answer's head, its body and its trailers. */
async function answerOf(stream: ClientHttp2Stream) {
  const trailers: Record<string, unknown> = {};
  stream.on('trailers', (fields) => Object.assign(trailers, fields));
  const [headers, flags] = await once(stream, 'response');
  const body = await text(stream);
  await until('it is closed', () => stream.closed);
  return { headers, flags, body, trailers };
}

/** The code of the reset that the stream ends with. */
async function resetOf(stream: ClientHttp2Stream): Promise<number> {
  stream.on('error', () => {}).resume();
  await until('it is closed', () => stream.closed);
  return stream.rstCode;
}

describe('a request over HTTP/2', () => {
  it('arrives as those over HTTP/1.1 do', async (t) => {
    const { dial, arrived } = await serve(t);
    const stream = dial().request({
      ':method': 'PUT',
      ':path': '/a?b',
      'x-a': ['1', '2'],
      'content-length': '3',
    });
    stream.end('abc');
    const { method, target, protocol, headers, bodyBytes, body, upgrade, peerAddress, tls, fault } =
      await arrived();
    assert.deepEqual([method, target, protocol, bodyBytes, upgrade], ['PUT', '/a?b', '2', 3, null]);
    assert.deepEqual(headers.flat(), [
      'host',
      'one.example:443',
      'x-a',
      '1',
      'x-a',
      '2',
      'content-length',
      '3',
    ]);
    assert.deepEqual([peerAddress, tls?.version, fault], ['127.0.0.1', 'TLSv1.3', null]);
    assert.equal(await text(body ?? assert.fail()), 'abc');
  });

  it('is answered beside others on its connection, in any order', async (t) => {
    const { dial, arrived } = await serve(t);
    const session = dial();
    const [first, second] = [answerOf(session.request()), answerOf(session.request({ ':path': '/2' }))];
    answer(await arrived(2), 'second');
    assert.equal((await second).body, 'second');
    answer(await arrived(1), 'first');
    const { headers, body } = await first;
    assert.deepEqual([headers[':status'], headers['content-length'], body], [200, '5', 'first']);
    assert.ok(typeof headers['date'] === 'string');
  });

  it('has its trailers behind its body', async (t) => {
    const { dial, arrived } = await serve(t);
    const stream = dial().request({ ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '42' }));
    stream.end('abc');
    const { body } = await arrived();
    assert.equal(await text(body ?? assert.fail()), 'abc');
    assert.deepEqual(body?.rawTrailers, ['x-sum', '42']);
  });

  it('is given up by a reset, which is heard of, whatever its code', async (t) => {
    const { raw, arrived, outcomes } = await serve(t);
    for (const [index, code] of [ERROR.cancel, 0].entries()) {
      const client = raw();
      client.send(FRAME.headers, FLAG.endHeaders, 1, encode(post()));
      const { body, reply } = await arrived(index + 1);
      body?.resume();
      client.send(FRAME.reset, 0, 1, Buffer.of(0, 0, 0, code));
      await until('it is heard of', () => outcomes.length === index + 1);
      assert.ok(reply.isGone);
    }
    assert.deepEqual(outcomes, ['abandoned', 'abandoned']);
  });

  it('whose connection breaks is given up', async (t) => {
    const { raw, arrived, outcomes } = await serve(t);
    const client = raw().ask(1);
    await arrived();
    client.socket.destroy();
    await until('it is heard of', () => outcomes.length === 1);
  });

  it('that has less body than it declared is reset', async (t) => {
    const { raw, arrived, outcomes } = await serve(t);
    const client = raw();
    client.send(FRAME.headers, FLAG.endHeaders, 1, encode(post('/', 'content-length', '3')));
    const { body } = await arrived();
    body?.resume();
    client.send(FRAME.data, FLAG.endStream, 1, 'ab');
    assert.equal(await client.reset(1), ERROR.protocol);
    await until('it is heard of', () => outcomes.length === 1);
    assert.equal(body?.readableEnded, false);
  });

  it('that has more body than it declared ends its connection', async (t) => {
    const { raw, arrived, outcomes } = await serve(t);
    const client = raw();
    client.send(FRAME.headers, FLAG.endHeaders, 1, encode(post('/', 'content-length', '3')));
    const { body } = await arrived();
    body?.resume();
    client.send(FRAME.data, FLAG.endStream, 1, 'abcd');
    assert.notEqual(await client.goneWith(), 0);
    assert.deepEqual([outcomes, body?.readableEnded], [['abandoned'], false]);
  });

  it('is read as fast as somebody takes it', async (t) => {
    const { dial, arrived } = await serve(t);
    const stream = dial().request({ ':method': 'POST' });
    const chunk = Buffer.alloc(65_536);
    let sentBytes = 0;
    const send = () => {
      while (sentBytes < 4_000_000) {
        sentBytes += chunk.length;
        if (!stream.write(chunk)) return;
      }
      stream.end();
    };
    stream.on('drain', send);
    send();
    const { body } = await arrived();
    await once(body ?? assert.fail(), 'readable');
    let before = -1;
    await until('the client has to wait', () => {
      const isWaiting = stream.writableNeedDrain && sentBytes === before;
      before = sentBytes;
      return isWaiting;
    });
    assert.ok(sentBytes < 1_000_000, `${sentBytes}`);
    let receivedBytes = 0;
    for await (const piece of body ?? []) receivedBytes += (piece as Buffer).length;
    assert.equal(receivedBytes, sentBytes);
    assert.ok(receivedBytes >= 4_000_000);
  });

  it('that makes no sense has a fault, and all else that is known of it', async (t) => {
    const { raw, arrived } = await serve(t);
    raw().ask(1, get('/a', 'host', 'two.example'));
    const { method, target, fault } = await arrived();
    assert.deepEqual([method, target, fault], ['GET', '/a', 'malformed_request']);
  });

  for (const [what, fields] of [
    ['upper case', get('/', 'X-A', '1')],
    ['headers of a connection', get('/', 'connection', 'close')],
    ['transfer-encoding', get('/', 'transfer-encoding', 'chunked')],
    ['another te', get('/', 'te', 'gzip')],
    ['a path without a slash', get('a')],
    ['extended CONNECT', [':method', 'CONNECT', ':protocol', 'websocket', ...get().slice(2)]],
    ['a pseudo header behind others', [...get(), 'x', 'y', ':path', '/']],
  ] as const) {
    it(`is reset with ${what}`, async (t) => {
      const { raw, arrivals } = await serve(t);
      assert.equal(await raw().ask(1, fields).reset(1), ERROR.protocol);
      assert.deepEqual(arrivals, []);
    });
  }
});

describe('an answer over HTTP/2', () => {
  it('has nothing of a connection of HTTP/1.1, and names in lower case', async (t) => {
    const { dial } = await serve(t, ({ reply }) => {
      reply.head(
        200,
        'OK',
        Fields.of(['X-A', '1', 'Connection', 'close', 'x-a', '2', 'Content-Length', '0']),
      );
      reply.end();
    });
    const { headers } = await answerOf(dial().request());
    assert.equal(headers['x-a'], '1, 2');
    assert.equal(headers['connection'], undefined);
  });

  it('has no body for HEAD, and where there can be none', async (t) => {
    const { dial, outcomes } = await serve(t, ({ method, reply, ended }) => {
      reply.onSent(() => ended('responded'));
      if (method === 'HEAD') reply.head(200, 'OK', Fields.of(['Content-Length', '5']));
      else reply.head(304, 'Not Modified', Fields.of(['ETag', '"a"']));
      reply.write('never');
      reply.end();
    });
    const session = dial();
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 304],
    ] as const) {
      const { headers, body } = await answerOf(session.request({ ':method': method }));
      assert.deepEqual([headers[':status'], body], [status, '']);
    }
    await until('both have ended', () => outcomes.length === 2);
    assert.deepEqual(outcomes, ['responded', 'responded']);
  });

  it('may be preceded by hints', async (t) => {
    const { dial } = await serve(t, (arrival) => {
      arrival.reply.inform(103, Fields.of(['Link', '</a.css>', 'Link', '</b.css>']));
      answer(arrival, 'ok');
    });
    const stream = dial().request();
    const hinted = once(stream, 'headers');
    assert.equal((await answerOf(stream)).body, 'ok');
    const [hints] = await hinted;
    assert.deepEqual([hints[':status'], hints['link']], [103, '</a.css>, </b.css>']);
  });

  it('tells a client that waits for it to go on', async (t) => {
    const { dial, arrived } = await serve(t);
    const stream = dial().request({ ':method': 'POST', expect: '100-continue' });
    const continued = once(stream, 'continue');
    const arrival = await arrived();
    arrival.reply.inviteBody();
    arrival.reply.inviteBody();
    await continued;
    answer(arrival, 'ok');
    assert.equal((await answerOf(stream)).body, 'ok');
  });

  it('has trailers behind a body of unknown length', async (t) => {
    const { dial, outcomes } = await serve(t, ({ reply, ended }) => {
      reply.onSent(() => ended('responded'));
      reply.head(200, 'OK', new Fields());
      reply.write('a');
      reply.write(Buffer.from('abcd'), 1, 3);
      reply.end(['X-Sum', '42']);
    });
    const { body, trailers } = await answerOf(dial().request());
    assert.deepEqual([body, trailers['x-sum']], ['abc', '42']);
    await until('it has ended', () => outcomes.length === 1);
    assert.deepEqual(outcomes, ['responded']);
  });

  for (const [what, length] of [
    ['of unknown length', []],
    ['that is shorter than it said', ['Content-Length', '10']],
  ] as const) {
    it(`${what} that breaks off is reset, and never ended`, async (t) => {
      const { raw, arrived, outcomes } = await serve(t);
      const client = raw().ask(1);
      const { reply } = await arrived();
      reply.head(200, 'OK', Fields.of(length));
      reply.write('abc');
      await client.hears(FRAME.data, 1);
      if (what === 'of unknown length') reply.cut();
      else reply.end();
      assert.equal(await client.reset(1), ERROR.internal);
      const ended = client.frames.filter(
        ({ type, flags }) => type <= FRAME.headers && flags & FLAG.endStream,
      );
      assert.deepEqual(ended, []);
      await until('it is heard of', () => outcomes.length === 1);
    });
  }

  // node:http2 may end the whole process where a stream is closed while it reads that was still to have trailers.
  it('that is cut by what the client sends is reset', async (t) => {
    const { raw, arrived } = await serve(t);
    const client = raw().send(FRAME.headers, FLAG.endHeaders, 1, encode(post()));
    const { body, reply } = await arrived();
    body?.on('data', () => reply.cut());
    reply.head(200, 'OK', new Fields());
    reply.write('abc');
    await client.hears(FRAME.data, 1);
    client.send(FRAME.data, 0, 1, 'x');
    assert.equal(await client.reset(1), ERROR.internal);
  });

  it('that is under way when its connection is a flood is reset with it', async (t) => {
    const { raw, arrived } = await serve(t);
    const client = raw().send(FRAME.headers, FLAG.endHeaders, 1, encode(post()));
    const { reply } = await arrived();
    reply.head(200, 'OK', new Fields());
    reply.write('abc');
    await client.hears(FRAME.data, 1);
    const pings = Array.from({ length: PINGS.burst + 1 }, () => frameOf(FRAME.ping, 0, 0, Buffer.alloc(8)));
    client.socket.write(Buffer.concat(pings));
    assert.equal(await client.goneWith(), ERROR.calm);
  });

  it('that is longer than it said is reset', async (t) => {
    const { dial } = await serve(t, ({ reply }) => {
      reply.head(200, 'OK', Fields.of(['Content-Length', '2']));
      reply.write('abc');
    });
    assert.equal(await resetOf(dial().request()), constants.NGHTTP2_INTERNAL_ERROR);
  });

  it('is sent as fast as the client reads', async (t) => {
    const { dial, arrived } = await serve(t);
    const stream = dial().request();
    const { reply } = await arrived();
    reply.head(200, 'OK', new Fields());
    await once(stream, 'response');
    let writtenBytes = 0;
    let mayWrite = true;
    reply.onDrain(() => {
      mayWrite = true;
    });
    const chunk = Buffer.alloc(65_536);
    await until('it has to wait', () => {
      for (; mayWrite && writtenBytes < 8_000_000; writtenBytes += chunk.length)
        mayWrite = reply.write(chunk);
      return !mayWrite;
    });
    assert.ok(writtenBytes < 2_000_000, `${writtenBytes}`);
    stream.resume();
    await until('it goes on', () => mayWrite);
  });

  it('that has a header which cannot be sent is a mistake of ours', async (t) => {
    const { dial, arrived } = await serve(t);
    dial().request();
    const { reply } = await arrived();
    assert.throws(() => reply.head(200, 'OK', Fields.of(['X-A', 'a\0b'])), { code: 'answer_malformed' });
  });

  it('before the whole of the body has come asks for no more of it', async (t) => {
    const { raw } = await serve(t, (arrival) => answer(arrival, 'no'));
    const client = raw().send(FRAME.headers, FLAG.endHeaders, 1, encode(post()));
    assert.equal(await client.reset(1), 0);
    assert.equal(client.heard(FRAME.data, 1).at(-1)?.flags, FLAG.endStream);
  });
});

describe('the time of a client', () => {
  it('to speak HTTP/2 is that for a head', async (t) => {
    const { clock, dialTls } = await serve(t);
    const silent = dialTls();
    await once(silent.resume(), 'secureConnect');
    await until('it is waited for', () => clock.timers === 1);
    clock.advance(HEAD_MS);
    await once(silent, 'end');
  });

  it('before its first request is that between requests', async (t) => {
    const { clock, raw } = await serve(t);
    const client = raw();
    await client.hears(FRAME.settings);
    await until('it has spoken', () => client.heard(FRAME.settings).length === 2);
    clock.advance(KEEP_ALIVE_MS - 1);
    assert.equal(client.heard(FRAME.goaway).length, 0);
    clock.advance(1);
    await client.hears(FRAME.goaway);
    assert.equal(await client.goneWith(), 0);
  });

  it('between requests begins with the end of the last one', async (t) => {
    const { clock, dial } = await serve(t, (arrival) => answer(arrival, 'ok'));
    const session = dial();
    await answerOf(session.request());
    clock.advance(KEEP_ALIVE_MS - 1);
    await answerOf(session.request());
    clock.advance(KEEP_ALIVE_MS - 1);
    await answerOf(session.request());
    const gone = once(session, 'goaway');
    clock.advance(KEEP_ALIVE_MS);
    assert.equal((await gone)[0], 0);
  });

  it('to send is given for each request: one that is slow has its body broken off, and is told so', async (t) => {
    const { clock, dial, arrived } = await serve(t);
    const session = dial();
    const slow = session.request({ ':method': 'POST' });
    const arrival = await arrived(1);
    session.request({ ':path': '/2' });
    await arrived(2);
    arrival.body?.resume();
    arrival.reply.expectProgress(1000);
    clock.advance(1000);
    assert.equal(codeOf(arrival.body?.errored), 'request_body_slow');
    answer(arrival, 'too slow', 408);
    const { headers } = await answerOf(slow);
    assert.deepEqual([headers[':status'], session.destroyed], [408, false]);
  });

  it('to send is that for a least rate, too', async (t) => {
    const { clock, raw, arrived } = await serve(t);
    const client = raw().send(FRAME.headers, FLAG.endHeaders, 1, encode(post()));
    const { body, reply } = await arrived();
    let bytes = 0;
    body?.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    reply.expectProgress(60_000, 100);
    for (let sent = 1; sent <= 4; sent++) {
      clock.advance(1000);
      client.send(FRAME.data, 0, 1, 'x');
      await until('it has come', () => bytes === sent);
    }
    assert.equal(body?.destroyed, false);
    clock.advance(RATE_WINDOW_MS - 4000 + 40);
    await until('it is broken off', () => body?.destroyed === true);
  });

  it('to read an answer is bounded also when all of it was said', async (t) => {
    const { clock, dial, arrived, outcomes } = await serve(t);
    const stream = dial({ settings: { initialWindowSize: 10 } }).request();
    stream.on('error', () => {});
    answer(await arrived(), 'more than fits into its window');
    await once(stream, 'data');
    assert.deepEqual(outcomes, []);
    clock.advance(KEEP_ALIVE_MS);
    assert.equal(await resetOf(stream), constants.NGHTTP2_INTERNAL_ERROR);
    await until('it is heard of', () => outcomes.length === 1);
  });
});

describe('a connection of HTTP/2', () => {
  it('ends gracefully: what is under way is answered, and nothing else taken', async (t) => {
    const { dial, arrived, connections } = await serve(t);
    const session = dial();
    const asked = answerOf(session.request());
    const arrival = await arrived();
    const gone = once(session, 'goaway');
    const drained = connections.drain();
    assert.equal((await gone)[0], 0);
    answer(arrival, 'in its own time');
    assert.equal((await asked).body, 'in its own time');
    await drained;
  });

  it('is closed when it has come to its end, and its client does not', async (t) => {
    const { raw, clock, connections } = await serve(t);
    const client = raw();
    await until('it has spoken', () => client.heard(FRAME.settings).length === 2);
    client.socket.removeAllListeners('end');
    client.socket.allowHalfOpen = true;
    const drained = connections.drain();
    clock.advance(1000);
    await client.hears(FRAME.goaway);
    clock.advance(CLOSE_MS_MAX);
    await drained;
  });

  it('refuses requests beyond those that may be under way, and ends when that was known', async (t) => {
    const { raw, arrivals, arrived } = await serve(t);
    for (const knows of [false, true]) {
      const client = knows ? raw() : raw().ignore();
      await client.hears(FRAME.settings);
      for (let index = 0; index <= STREAMS_MAX; index++) client.ask(1 + 2 * index);
      if (knows) assert.equal(await client.goneWith(), ERROR.protocol);
      else assert.equal(await client.reset(1 + 2 * STREAMS_MAX), ERROR.refused);
      await arrived(STREAMS_MAX * (knows ? 2 : 1));
    }
    assert.equal(arrivals.length, 2 * STREAMS_MAX);
  });

  it('ends after as many requests as it may have', async (t) => {
    const { dial } = await serve(t, (arrival) => answer(arrival, 'ok'), { requestsPerConnectionMax: 2 });
    const session = dial();
    const gone = once(session, 'goaway');
    assert.equal((await answerOf(session.request())).body, 'ok');
    assert.equal((await answerOf(session.request())).body, 'ok');
    assert.deepEqual((await gone).slice(0, 2), [0, 3]);
  });

  it('is as busy as it has requests under way', async (t) => {
    const { dial, arrived, outcomes } = await serve(t);
    const session = dial();
    const stream = session.request();
    const { reply } = await arrived();
    reply.onLeft(() => {});
    stream.close(NGHTTP2_CANCEL);
    await until('it is gone', () => reply.isGone);
    assert.deepEqual(outcomes, []);
  });
});
