import assert from 'node:assert/strict';
import { constants, type ServerHttp2Stream } from 'node:http2';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { saying, startH2Upstream } from '#test/http/h2-dispatcher/subject.ts';
import { runCommand, startInstance, until } from '#test/support/process.ts';
import { RawClient, requestOf } from '#test/support/raw-client.ts';
import { startUpstream } from '#test/support/upstream.ts';

const H2 = { load_balancing: { protocol: 'h2' } };

describe('an upstream that is spoken to in HTTP/2', () => {
  it('serves clients in HTTP/1.1: bodies and trailers pass both ways', async (t) => {
    const upstream = await startH2Upstream(t, async (stream, headers) => {
      let sum: unknown;
      stream.on('trailers', (trailers) => {
        sum = trailers['x-sum'];
      });
      const body = await buffer(stream);
      stream.additionalHeaders({ ':status': 103, link: '</a>' });
      stream.respond({ ':status': 200, 'x-te': headers['te'] ?? '' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-answer': '2' }));
      stream.end(`${headers[':authority']} ${headers[':path']} ${body} ${sum}`);
    });
    const instance = await startInstance(t, [{ name: 'two', port: upstream.port }], H2);
    const head = requestOf(
      'POST /a?b',
      'Transfer-Encoding: chunked',
      'Connection: close, TE',
      'TE: trailers',
    );
    const client = RawClient.dial(t, instance.port).say(`${head}3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n`);
    const said = await client.ended();
    assert.match(said, /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a>\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
    assert.match(said, /\r\nx-te: trailers\r\n/);
    assert.match(said, /\r\nX-Backend: two\r\n/);
    assert.ok(said.endsWith('test /a?b abc 1\r\n0\r\nx-answer: 2\r\n\r\n'), said);
  });

  it('may answer while its client still sends', async (t) => {
    const streams: ServerHttp2Stream[] = [];
    const upstream = await startH2Upstream(t, (stream) => {
      streams.push(stream);
      stream.respond({ ':status': 200 });
      stream.pipe(stream);
    });
    const instance = await startInstance(t, [{ name: 'echo', port: upstream.port }], H2);
    const client = RawClient.dial(t, instance.port).say(requestOf('POST /', 'Transfer-Encoding: chunked'));
    for (const word of ['one', 'four', 'seven']) {
      client.say(`${word.length}\r\n${word}\r\n`);
      await client.hears(`${word}\r\n`);
    }
    client.say('0\r\n\r\n');
    await client.hears('0\r\n\r\n');
    // A client that leaves takes its request along.
    const leaver = RawClient.dial(t, instance.port).say(requestOf('POST /', 'Transfer-Encoding: chunked'));
    leaver.say('2\r\nhi\r\n');
    await leaver.hears('hi\r\n');
    leaver.socket.destroy();
    await until('the stream is reset', () => streams[1]?.aborted === true);
    assert.equal(streams[1]?.rstCode, constants.NGHTTP2_CANCEL);
  });

  it('hands back what it has not begun on, to be sent elsewhere, whatever it is', async (t) => {
    let refused = 0;
    const refusing = await startH2Upstream(t, (stream) => {
      refused++;
      stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    const taking = await startH2Upstream(t, saying('taken'));
    const upstreams = [
      { name: 'refusing', port: refusing.port },
      { name: 'taking', port: taking.port },
    ];
    const instance = await startInstance(t, upstreams, H2);
    for (let times = 0; times < 4; times++) {
      const answer = await fetch(instance.url, { method: 'POST', body: 'once' });
      assert.equal(await answer.text(), 'taken');
    }
    assert.ok(refused > 0);
  });

  it('can switch to no other protocol, and its client is told so', async (t) => {
    const upstream = await startH2Upstream(t, saying('no'));
    const instance = await startInstance(t, [{ name: 'two', port: upstream.port }], H2);
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: x'];
    const client = RawClient.dial(t, instance.port).say(requestOf('GET /', ...upgrade));
    await client.hears('}\n');
    assert.match(client.received, /^HTTP\/1\.1 502 /);
    assert.match(client.received, /; error=http_upgrade_failed\r\n/);
  });

  it('is missed where there is only one in HTTP/1.1, as a mistake in the protocol', async (t) => {
    const upstream = await startUpstream(t, 'one');
    const instance = await startInstance(t, [upstream], H2);
    const answer = await fetch(instance.url);
    assert.equal(answer.status, 502);
    assert.match(answer.headers.get('proxy-status') ?? '', /error=http_protocol_error/);
    assert.equal(upstream.requests, 0);
  });

  it('is added to a running instance by a command', async (t) => {
    const one = await startUpstream(t, 'one');
    const two = await startH2Upstream(t, saying('two'));
    const instance = await startInstance(t, [one]);
    const args = ['upstreams', 'add', 'two', `127.0.0.1:${two.port}`, '--admin', instance.admin];
    assert.notEqual((await runCommand([...args, '--protocol', 'h3'])).code, 0);
    const added = await runCommand([...args, '--protocol', 'h2']);
    assert.equal(added.code, 0, added.stderr);
    const said = new Set<string>();
    for (let times = 0; times < 4; times++) said.add(await (await fetch(instance.url)).text());
    assert.deepEqual([...said].toSorted(), ['one', 'two']);
    const answer = await fetch(`${instance.admin}/api/upstreams`);
    const listed = (await answer.json()) as { upstreams: { protocol: string }[] };
    assert.deepEqual(listed.upstreams.map(({ protocol }) => protocol).toSorted(), ['h2', 'http/1.1']);
  });
});
