import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { describe, it } from 'node:test';
import type { RequestHead } from '#actors/request/exchange.ts';
import { addressBlocks } from '#http/address-blocks.ts';
import { declaredBytes, readHead, timesThrough } from '#http/request-head.ts';

const NOBODY = addressBlocks([]);
/** Sends lines as a request's head over a real connection, and reads them; undefined if the parser refuses. */
async function headOf(
  lines: readonly string[],
  trusted = NOBODY,
  upgrade: string | null = null,
): Promise<RequestHead | null | undefined> {
  const { promise, resolve } = Promise.withResolvers<RequestHead | null | undefined>();
  const server = createServer({ requireHostHeader: false });
  server.on('request', (incoming) => resolve(readHead(incoming, upgrade, trusted, 5)));
  server.on('clientError', () => resolve(undefined));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  client.write(`${lines.join('\r\n')}\r\n\r\n`);
  const head = await promise;
  client.destroy();
  server.close();
  return head;
}

describe('the head of a request', () => {
  it('is what the client sent, understood', async () => {
    const head = await headOf(
      ['GET /a%20b/../c?d HTTP/1.1', 'HOST: Example.com:80', 'x-A: 1', 'X-a: 2'],
      NOBODY,
      'websocket',
    );
    assert.deepEqual(head, {
      method: 'GET',
      target: '/c?d',
      path: '/c',
      host: 'Example.com:80',
      headers: ['HOST', 'Example.com:80', 'x-A', '1', 'X-a', '2'],
      clientAddress: '127.0.0.1',
      peerAddress: '127.0.0.1',
      peerTrusted: false,
      scheme: 'http',
      protocol: '1.1',
      upgrade: 'websocket',
      receivedMs: 5,
    });
  });

  it('knows whom trusted proxies speak for', async () => {
    const lines = ['GET / HTTP/1.1', 'Host: a', 'X-Forwarded-For: 6.6.6.6, 203.0.113.9'];
    const head = await headOf(lines, addressBlocks(['127.0.0.0/8']));
    assert.deepEqual([head?.peerTrusted, head?.clientAddress], [true, '203.0.113.9']);
    assert.equal((await headOf(lines))?.clientAddress, '127.0.0.1');
  });
});

describe('Host', () => {
  const host = async (...lines: string[]) => (await headOf(lines))?.host ?? null;

  it('is needed once, from HTTP/1.1 on', async () => {
    assert.equal(await host('GET / HTTP/1.1'), null);
    assert.equal(await host('GET / HTTP/1.1', 'Host: a', 'Host: a'), null);
    assert.equal(await host('GET / HTTP/1.1', 'Host: a', 'HOST: b'), null);
    assert.equal(await host('GET / HTTP/1.1', 'Host: a, b'), null);
    assert.equal(await host('GET / HTTP/1.0'), '');
    assert.equal(await host('GET / HTTP/1.0', 'Host: a'), 'a');
    assert.equal(await host('GET / HTTP/1.0', 'Host: a', 'Host: b'), null);
  });

  it('is an authority and nothing else', async () => {
    for (const good of ['a', 'a.b:80', '1.2.3.4', '[::1]:8080', 'xn--e1afmkfd.test', 'a_b', 'a:'])
      assert.equal(await host('GET / HTTP/1.1', `Host: ${good}`), good);
    for (const bad of [
      '',
      'a b',
      'a/b',
      'user@a',
      'a:b',
      'a:123456',
      '[::1',
      '::1',
      'a?b',
      'a#b',
      'a\\b',
      '"a"',
      'a:80:80',
    ])
      assert.equal(await host('GET / HTTP/1.1', `Host: ${bad}`), null, bad);
  });

  it('must agree with an absolute target', async () => {
    assert.equal(await host('GET http://A.test/ HTTP/1.1', 'Host: a.TEST'), 'a.TEST');
    assert.equal(await host('GET http://a.test/ HTTP/1.1', 'Host: b.test'), null);
    assert.equal(await host('GET http://a.test/ HTTP/1.1'), null);
    assert.equal(await host('GET http://user@a.test/ HTTP/1.1', 'Host: a.test'), null);
  });

  it('is the authority of an absolute target where HTTP/1.0 leaves it out, if it is one', async () => {
    assert.equal(await host('GET http://a.test:80/ HTTP/1.0'), 'a.test:80');
    assert.equal(await host('GET http://user@a.test/ HTTP/1.0'), null);
    assert.equal(await host('GET http://a;%0d%0a/ HTTP/1.0'), 'a;%0d%0a');
  });
});

describe('a head that makes no sense', () => {
  it('is none: bad targets, other versions, other transfer codings', async () => {
    const hosted = async (line: string, ...lines: string[]) => headOf([line, 'Host: a', ...lines]);
    assert.equal(await hosted('GET * HTTP/1.1'), null);
    assert.equal(await hosted('GET /../a HTTP/1.1'), null);
    assert.equal(await hosted('GET /%00 HTTP/1.1'), null);
    assert.equal(await hosted('GET /a#b HTTP/1.1'), null);
    assert.equal(await hosted('GET / HTTP/2.0'), null);
    assert.equal(await hosted('GET / HTTP/0.9'), null);
    // Its first coding would have been forwarded as if it were none.
    assert.equal(await hosted('POST / HTTP/1.1', 'Transfer-Encoding: gzip, chunked'), null);
    assert.equal(await hosted('POST / HTTP/1.0', 'Transfer-Encoding: chunked'), null);
    assert.equal((await hosted('POST / HTTP/1.1', 'Transfer-Encoding: Chunked'))?.method, 'POST');
  });
});

describe('the declared length of a body', () => {
  it('is its Content-Length, nothing, or unknown', () => {
    assert.equal(declaredBytes([]), 0);
    assert.equal(declaredBytes(['content-LENGTH', '12']), 12);
    assert.equal(declaredBytes(['Transfer-Encoding', 'chunked']), Number.POSITIVE_INFINITY);
  });
});

describe('a loop', () => {
  const times = (...via: string[]) =>
    timesThrough(
      via.flatMap((value) => ['Via', value]),
      'box',
    );

  it('shows in Via, wherever our name stands in it', () => {
    assert.equal(times('1.1 box'), 1);
    assert.equal(times('1.0 fred, 1.1 box (Signalbox), 1.1 ginger, 1.1 box'), 2);
    assert.equal(times('1.1 box, 1.0 fred', 'HTTP/1.1\t box'), 2);
  });

  it('is nobody else of a similar name', () => {
    for (const via of ['', '1.1 boxes', '1.1 a-box', 'box', '1.1 fred (box)', ',,,', '1.1'])
      assert.equal(times(via), 0, via);
    assert.equal(timesThrough(['X-Via', '1.1 box'], 'box'), 0);
    assert.equal(timesThrough(['Via', '1.1 box'], null), 0);
  });
});
