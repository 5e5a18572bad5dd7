import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { ONE_TEXT_BYTES_MAX } from '#http/h1/write-head.ts';
import { until } from '#test/support/process.ts';
import { requestOf } from '#test/support/raw-client.ts';
import { serve } from './scene.ts';

const GET = requestOf('GET /');
const CLOSE = requestOf('GET /', 'Connection: close');

describe('an answer', () => {
  it('goes out as given: order, case, duplicates, bytes', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(CLOSE);
    const { reply, ended } = arrival;
    reply.onSent(() => ended('responded'));
    reply.head(
      299,
      'Fine \xe9',
      Fields.of(['x-B', '1', 'X-b', '\xff', 'Content-Length', '4', 'Date', 'now']),
    );
    reply.write(Buffer.from([0xff]));
    reply.write('!é');
    reply.end();
    assert.equal(
      await client.ended(),
      'HTTP/1.1 299 Fine \xe9\r\nx-B: 1\r\nX-b: \xff\r\nContent-Length: 4\r\nDate: now\r\nConnection: close\r\n\r\n\xff!\xc3\xa9',
    );
  });

  it('takes of bytes what stands between two places, be it short or long', async (t) => {
    for (const count of [3, ONE_TEXT_BYTES_MAX]) {
      const { ask } = await serve(t);
      const { client, arrival } = await ask(CLOSE);
      const { reply, ended } = arrival;
      const body = 'x'.repeat(count);
      reply.onSent(() => ended('responded'));
      reply.head(200, 'OK', new Fields());
      reply.write(Buffer.from(`no${body}no`), 2, 2 + count);
      reply.end();
      const [, chunks] = (await client.ended()).split('\r\n\r\n');
      assert.equal(chunks, `${count.toString(16)}\r\n${body}\r\n0`);
    }
  });

  it('leaves in one piece, if it is short and comes at once', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    const pieces: string[] = [];
    client.socket.on('data', (text: string) => pieces.push(text));
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.write('one');
    arrival.reply.write('two');
    arrival.reply.end();
    await client.hears('\r\n0\r\n\r\n');
    assert.equal(pieces.length, 1);
  });

  it('shows its head before there is a body, and has a date', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    arrival.reply.head(200, 'OK', new Fields());
    await client.hears('\r\n\r\n');
    assert.equal(
      client.received,
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nConnection: keep-alive\r\n\r\n',
    );
  });

  it('never lets a line break into a header', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    const { reply } = arrival;
    for (const headers of [
      ['X', 'a\r\nSet-Cookie: b'],
      ['X\r\nY', 'a'],
      ['X', 'a\nb'],
      ['X', 'a\0'],
      ['X Y', 'a'],
    ].map(Fields.of)) {
      assert.throws(() => reply.head(200, 'OK', headers), { code: 'answer_malformed' });
      reply.inform(103, headers);
      assert.throws(() => reply.switchProtocols(headers), { code: 'answer_malformed' });
    }
    assert.throws(() => reply.head(200, 'OK\r\nX: y', new Fields()), { code: 'answer_malformed' });
    assert.equal(reply.status, 0);
    reply.head(200, 'OK', new Fields());
    await client.hears('200');
    assert.match(client.received, /^HTTP\/1\.1 200 /);
  });

  it('asks to wait where the client does not read, and says when to go on', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    client.socket.pause();
    let drains = 0;
    arrival.reply.onDrain(() => drains++);
    arrival.reply.head(200, 'OK', new Fields());
    const chunk = Buffer.alloc(65_536);
    let written = 0;
    do written += chunk.length;
    while (arrival.reply.write(chunk) && written < 1 << 26);
    assert.ok(written < 1 << 26);
    client.socket.resume();
    await until('it goes on', () => drains > 0);
  });
});

describe('the end of an answer', () => {
  for (const [what, request, status, headers, chunks, expected] of [
    [
      'as declared',
      CLOSE,
      200,
      ['Content-Length', '5'],
      ['ab', 'cde'],
      /\r\nContent-Length: 5\r\n.*\n\r\nabcde$/s,
    ],
    [
      'by its last chunk',
      CLOSE,
      200,
      [],
      ['ab', '', 'x'.repeat(20_000)],
      /\r\nTransfer-Encoding: chunked\r\n.*\n\r\n2\r\nab\r\n4e20\r\nx{20000}\r\n0\r\n\r\n$/s,
    ],
    ['by the end of a connection of HTTP/1.0', CLOSE.replace('/1.1', '/1.0'), 200, [], ['ab'], /\n\r\nab$/],
    [
      'to HEAD, whatever is declared',
      requestOf('HEAD /', 'Connection: close'),
      200,
      ['Content-Length', '5'],
      ['abcde'],
      /\r\nContent-Length: 5\r\n.*\n\r\n$/s,
    ],
    ['without content', CLOSE, 204, [], ['ab'], /^(?!.*Transfer-Encoding).*\n\r\n$/s],
    ['not modified', CLOSE, 304, ['Content-Length', '5'], ['ab'], /\n\r\n$/s],
  ] as const) {
    it(`is told: ${what}`, async (t) => {
      const { ask } = await serve(t);
      const { client, arrival } = await ask(request);
      const { reply, ended } = arrival;
      reply.onSent(() => ended('responded'));
      reply.head(status, 'Fine', Fields.of(headers));
      for (const chunk of chunks) reply.write(chunk);
      reply.end();
      const received = await client.ended();
      assert.match(received, expected);
      assert.match(received, /\r\nConnection: close\r\n/);
    });
  }

  it('is told with trailers, if it is chunked', async (t) => {
    const { ask } = await serve(t);
    for (const [headers, expected] of [
      [[], '\r\n1\r\na\r\n0\r\nX-Sum: 1\r\n\r\n'],
      [['Content-Length', '1'], '\r\n\r\na'],
    ] as const) {
      const { client, arrival } = await ask(CLOSE);
      arrival.reply.onSent(() => arrival.ended('responded'));
      arrival.reply.head(200, 'OK', Fields.of(headers));
      arrival.reply.write('a');
      arrival.reply.end(['X-Sum', '1']);
      assert.ok((await client.ended()).endsWith(expected));
    }
  });

  for (const [what, chunks] of [
    ['less', ['a']],
    ['more', ['abc']],
  ] as const) {
    it(`is a broken connection where ${what} comes than was declared`, async (t) => {
      const { ask, outcomes } = await serve(t);
      const { client, arrival } = await ask(GET);
      arrival.reply.onSent(() => arrival.ended('responded'));
      arrival.reply.head(200, 'OK', Fields.of(['Content-Length', '2']));
      for (const chunk of chunks) arrival.reply.write(chunk);
      arrival.reply.end();
      assert.doesNotMatch(await client.ended(), /abc/);
      await until('it is noticed', () => outcomes.length > 0);
      assert.deepEqual(outcomes, ['abandoned']);
    });
  }

  it('is not lost with an answer that is cut at once: its head is there, and no end', async (t) => {
    // Whatever was still to be sent was dropped, and clients saw a connection that ended without an answer.
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.write('a');
    arrival.reply.cut();
    assert.match(await client.ended(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n1\r\na\r\n$/);
  });

  it('is an error to a client of HTTP/1.0 where the answer is cut that the connection ends', async (t) => {
    // It was an end like any other: a part of an answer could not be told from all of it.
    const { ask } = await serve(t);
    const { client, arrival } = await ask('GET / HTTP/1.0\r\nHost: test\r\n\r\n');
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.write('part');
    await client.hears('part');
    arrival.reply.cut();
    await until('the connection is over', () => client.socket.closed);
    assert.equal(client.error, 'ECONNRESET');
  });

  it('is a broken connection where the answer is cut', async (t) => {
    const { ask, outcomes } = await serve(t);
    const { client, arrival } = await ask(GET);
    arrival.reply.head(200, 'OK', new Fields());
    arrival.reply.write('part');
    await client.hears('part');
    arrival.reply.cut();
    assert.ok(!(await client.ended()).endsWith('0\r\n\r\n'));
    await until('it is over', () => outcomes.length > 0);
    arrival.reply.write('more');
    arrival.reply.end();
    assert.deepEqual(outcomes, ['abandoned']);
    assert.ok(arrival.reply.isGone);
  });
});

describe('an informational answer', () => {
  it('goes ahead of the answer', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET);
    arrival.reply.inform(103, Fields.of(['Link', '</a>; rel=preload']));
    await client.hears('\r\n\r\n');
    assert.equal(client.received, 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n');
    arrival.reply.head(200, 'OK', Fields.of(['Content-Length', '0']));
    arrival.reply.inform(103, new Fields());
    arrival.reply.end();
    await client.hears('200 OK');
    assert.equal(client.received.match(/103/g)?.length, 1);
  });

  it('is not for HTTP/1.0', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(GET.replace('/1.1', '/1.0'));
    arrival.reply.onSent(() => arrival.ended('responded'));
    arrival.reply.inform(103, new Fields());
    arrival.reply.head(200, 'OK', Fields.of(['Content-Length', '0']));
    arrival.reply.end();
    assert.match(await client.ended(), /^HTTP\/1\.1 200 /);
  });
});

describe('100 Continue', () => {
  const POST = requestOf('POST /', 'Content-Length: 2', 'Expect: 100-continue', 'Connection: close');

  it('is sent once to a client that waits for it', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(POST);
    arrival.reply.inviteBody();
    arrival.reply.inviteBody();
    await client.hears('HTTP/1.1 100 Continue\r\n\r\n');
    client.say('ab');
    arrival.reply.onSent(() => arrival.ended('responded'));
    arrival.reply.head(200, 'OK', Fields.of(['Content-Length', '0']));
    arrival.reply.inviteBody();
    arrival.body?.resume();
    arrival.reply.end();
    assert.match(await client.ended(), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK\r\n/);
  });

  it('is not sent to anyone else', async (t) => {
    const { ask } = await serve(t);
    for (const request of [requestOf('POST /', 'Content-Length: 2'), POST.replace('/1.1', '/1.0'), GET]) {
      const { client, arrival } = await ask(request);
      arrival.reply.inviteBody();
      arrival.reply.head(200, 'OK', Fields.of(['Content-Length', '0']));
      arrival.reply.end();
      await client.hears('\r\n\r\n');
      assert.match(client.received, /^HTTP\/1.1 200 OK\r\n/);
    }
  });

  it('that was not sent ends the connection with the answer: its body may come or not', async (t) => {
    const { ask } = await serve(t);
    const { client, arrival } = await ask(POST.replace('close', 'keep-alive'));
    arrival.reply.onSent(() => arrival.ended('responded'));
    arrival.reply.head(401, 'Unauthorized', Fields.of(['Content-Length', '0']));
    arrival.reply.end();
    assert.match(await client.ended(), /^HTTP\/1.1 401 .*\r\nConnection: close\r\n/s);
  });
});
