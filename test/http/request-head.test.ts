import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestHead } from '#actors/request/exchange.ts';
import { Fields } from '#core/fields.ts';
import { LEARNED_OF } from '#core/recent-texts.ts';
import { addressBlocks } from '#http/address-blocks.ts';
import { HeadParser } from '#http/h1/head-parser.ts';
import { RequestLine } from '#http/h1/start-lines.ts';
import { readHead, timesThrough } from '#http/request-head.ts';

const NOBODY = addressBlocks([]);

/** Reads lines as the head of a request that came from this machine. */
function headOf(
  lines: readonly string[],
  trusted = NOBODY,
  upgrade: string | null = null,
): RequestHead | null {
  const line = new RequestLine();
  const parser = new HeadParser(line, { bytesMax: 16_384, fieldsMax: 100 });
  const end = parser.parse(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), 0);
  assert.ok(end > 0, `${parser.fault}`);
  const { method, target, minor } = line;
  const headers = parser.fields;
  const protocol = minor === 0 ? '1.0' : '1.1';
  const peerAddress = '127.0.0.1';
  return readHead(
    { method, target, protocol, headers, peerAddress, tls: null, upgrade, fault: null },
    trusted,
    5,
  );
}

describe('the head of a request', () => {
  it('is what the client sent, understood', () => {
    const head = headOf(
      ['GET /a%20b/../c?d HTTP/1.1', 'HOST: Example.com:80', 'x-A: 1', 'X-a: 2'],
      NOBODY,
      'websocket',
    );
    assert.deepEqual(head && { ...head, headers: head.headers.flat() }, {
      method: 'GET',
      target: '/c?d',
      path: '/c',
      host: 'Example.com:80',
      headers: ['HOST', 'Example.com:80', 'x-A', '1', 'X-a', '2'],
      clientAddress: '127.0.0.1',
      peerAddress: '127.0.0.1',
      peerTrusted: false,
      scheme: 'http',
      tls: null,
      protocol: '1.1',
      upgrade: 'websocket',
      receivedMs: 5,
    });
  });

  it('knows whom trusted proxies speak for', () => {
    const lines = ['GET / HTTP/1.1', 'Host: a', 'X-Forwarded-For: 6.6.6.6, 203.0.113.9'];
    const head = headOf(lines, addressBlocks(['127.0.0.0/8']));
    assert.deepEqual([head?.peerTrusted, head?.clientAddress], [true, '203.0.113.9']);
    assert.equal(headOf(lines)?.clientAddress, '127.0.0.1');
  });
});

describe('Host', () => {
  const host = (...lines: string[]) => headOf(lines)?.host ?? null;

  it('is needed once, from HTTP/1.1 on', () => {
    assert.equal(host('GET / HTTP/1.1'), null);
    assert.equal(host('GET / HTTP/1.1', 'Host: a', 'Host: a'), null);
    assert.equal(host('GET / HTTP/1.1', 'Host: a', 'HOST: b'), null);
    assert.equal(host('GET / HTTP/1.1', 'Host: a, b'), null);
    assert.equal(host('GET / HTTP/1.0'), '');
    assert.equal(host('GET / HTTP/1.0', 'Host: a'), 'a');
    assert.equal(host('GET / HTTP/1.0', 'Host: a', 'Host: b'), null);
  });

  it('is an authority and nothing else, however often it comes', () => {
    for (const good of ['a', 'a.b:80', '1.2.3.4', '[::1]:8080', 'xn--e1afmkfd.test', 'a_b', 'a:'])
      for (let times = 0; times <= LEARNED_OF; times++)
        assert.equal(host('GET / HTTP/1.1', `Host: ${good}`), good);
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
      for (let times = 0; times <= LEARNED_OF; times++)
        assert.equal(host('GET / HTTP/1.1', `Host: ${bad}`), null, bad);
  });

  it('must agree with an absolute target', () => {
    assert.equal(host('GET http://A.test/ HTTP/1.1', 'Host: a.TEST'), 'a.TEST');
    assert.equal(host('GET http://a.test/ HTTP/1.1', 'Host: b.test'), null);
    assert.equal(host('GET http://a.test/ HTTP/1.1'), null);
    assert.equal(host('GET http://user@a.test/ HTTP/1.1', 'Host: a.test'), null);
  });

  it('is the authority of an absolute target where HTTP/1.0 leaves it out, if it is one', () => {
    assert.equal(host('GET http://a.test:80/ HTTP/1.0'), 'a.test:80');
    assert.equal(host('GET http://user@a.test/ HTTP/1.0'), null);
    assert.equal(host('GET http://a;%0d%0a/ HTTP/1.0'), 'a;%0d%0a');
  });
});

describe('a head that makes no sense', () => {
  it('is none, for its target', () => {
    for (const target of ['*', '/../a', '/%00', '/a#b', 'a:80'])
      assert.equal(headOf([`GET ${target} HTTP/1.1`, 'Host: a']), null, target);
    assert.equal(headOf(['OPTIONS * HTTP/1.1', 'Host: a'])?.target, '*');
  });
});

describe('a loop', () => {
  const times = (...via: string[]) => timesThrough(Fields.of(via.flatMap((value) => ['Via', value])), 'box');

  it('shows in Via, wherever our name stands in it', () => {
    assert.equal(times('1.1 box'), 1);
    assert.equal(times('1.0 fred, 1.1 box (Signalbox), 1.1 ginger, 1.1 box'), 2);
    assert.equal(times('1.1 box, 1.0 fred', 'HTTP/1.1\t box'), 2);
  });

  it('is nobody else of a similar name', () => {
    for (const via of ['', '1.1 boxes', '1.1 a-box', 'box', '1.1 fred (box)', ',,,', '1.1'])
      assert.equal(times(via), 0, via);
    assert.equal(timesThrough(Fields.of(['X-Via', '1.1 box']), 'box'), 0);
    assert.equal(timesThrough(Fields.of(['Via', '1.1 box']), null), 0);
  });
});
