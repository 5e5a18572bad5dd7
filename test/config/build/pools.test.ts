import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { Upstream } from '#core/table.ts';
import { load, writeBeside } from '../support.ts';

/** The one upstream of a pool; `text` is the pool in YAML. */
function upstreamOf(text: string): Upstream {
  const upstream = load(`load_balancing: ${text}\n`).table.pools['default']?.upstreams[0];
  return upstream ?? assert.fail('no upstream');
}

describe('the pools of a table', () => {
  it('number their upstreams through, the pool default first', () => {
    const { pools } = load(
      'pools: {b: {upstreams: [{url: "http://b:1"}, {url: "http://b:2"}]}}\nload_balancing: {upstreams: [{url: "http://a"}]}\n',
    ).table;
    assert.deepEqual(
      Object.values(pools).map(({ name, slot }) => [name, slot]),
      [
        ['default', 0],
        ['b', 1],
      ],
    );
    assert.deepEqual(
      Object.values(pools).flatMap(({ upstreams }) => upstreams.map(({ name, slot }) => [name, slot])),
      [
        ['a:80', 0],
        ['b:1', 1],
        ['b:2', 2],
      ],
    );
  });

  it('say what consistent hashing keeps together', () => {
    const strategyWith = (key: string) =>
      load(
        `load_balancing: {strategy: consistent_hash, hash_key: '${key}', upstreams: [{url: "http://a"}]}\n`,
      ).table.pools['default']?.strategy;
    assert.deepEqual(strategyWith('path'), { kind: 'consistent_hash', key: { kind: 'path' } });
    assert.deepEqual(strategyWith('header:X-Tenant'), {
      kind: 'consistent_hash',
      key: { kind: 'header', name: 'x-tenant' },
    });
  });

  it('take the panic threshold as a fraction', () => {
    const poolOf = (text: string) =>
      load(`load_balancing: {${text}upstreams: [{url: "http://a"}]}\n`).table.pools['default'];
    assert.equal(poolOf('')?.panicThreshold, 0.5);
    assert.equal(poolOf('panic_threshold: 0, ')?.panicThreshold, 0);
    assert.equal(poolOf('panic_threshold: 100, slow_start_ms: 30000, ')?.slowStartMs, 30_000);
  });
});

describe('the bound of the requests in flight', () => {
  const boundOf = (text: string) =>
    load(`load_balancing: {${text}upstreams: [{url: "http://a"}]}\n`).table.pools['default']?.inFlight;

  it('is none unless it is given', () => {
    assert.equal(boundOf(''), null);
  });

  it('may differ for one upstream', () => {
    const { upstreams = [] } =
      load(
        'load_balancing: {in_flight_max: 8, upstreams: [{url: "http://a", in_flight_max: 2}, {url: "http://b"}]}\n',
      ).table.pools['default'] ?? {};
    assert.deepEqual(
      upstreams.map(({ inFlightMax }) => inFlightMax),
      [2, null],
    );
  });

  it('comes with a queue', () => {
    assert.deepEqual(boundOf('in_flight_max: 8, '), { max: 8, queue: { lengthMax: 256, timeoutMs: 2000 } });
    assert.deepEqual(boundOf('in_flight_max: 1, queue: {length_max: 0, timeout_ms: 50}, '), {
      max: 1,
      queue: { lengthMax: 0, timeoutMs: 50 },
    });
  });
});

describe('an upstream of a table', () => {
  it('has an address and a port, or a URL for both', () => {
    const { address, port, name } = upstreamOf('{upstreams: [{url: "http://[2001:db8::1]:81"}]}');
    assert.deepEqual({ address, port, name }, { address: '2001:db8::1', port: 81, name: '[2001:db8::1]:81' });
    assert.equal(upstreamOf('{upstreams: [{address: "::1", port: 80}]}').name, '[::1]:80');
    assert.equal(upstreamOf('{upstreams: [{url: "https://a"}]}').port, 443);
  });

  it('is spoken to over TLS as its own setting, its URL and its pool say, in that order', () => {
    const hasTls = (text: string) => upstreamOf(text).tls !== null;
    const plain = 'upstreams: [{address: a, port: 1}]';
    assert.equal(hasTls(`{${plain}}`), false);
    assert.equal(hasTls(`{tls: true, ${plain}}`), true);
    assert.equal(hasTls('{tls: true, upstreams: [{address: a, port: 1, tls: false}]}'), false);
    assert.equal(hasTls('{tls: true, upstreams: [{url: "http://a"}]}'), false);
    assert.equal(hasTls('{upstreams: [{url: "https://a"}]}'), true);
    assert.equal(hasTls('{upstreams: [{address: a, port: 1, tls: {verify: false}}]}'), true);
  });

  it('is spoken to in the protocol that it says, its pool says, or HTTP/1.1', () => {
    const protocolOf = (pool: string, own: string) =>
      upstreamOf(`{${pool} upstreams: [{url: "http://a"${own}}]}`).protocol;
    assert.equal(protocolOf('', ''), 'http/1.1');
    assert.equal(protocolOf('protocol: h2,', ''), 'h2');
    assert.equal(protocolOf('protocol: h2,', ', protocol: http/1.1'), 'http/1.1');
    assert.equal(protocolOf('', ', protocol: h2'), 'h2');
  });

  it('asks for its address by name, unless told another', () => {
    assert.deepEqual(upstreamOf('{upstreams: [{url: "https://a.example"}]}').tls, {
      serverName: 'a.example',
      ca: null,
      verify: true,
    });
    assert.equal(upstreamOf('{upstreams: [{url: "https://1.1.1.1"}]}').tls?.serverName, '');
    const named = '{tls: {server_name: one.example, verify: false}, upstreams: [{url: "https://1.1.1.1"}]}';
    assert.deepEqual(upstreamOf(named).tls, { serverName: 'one.example', ca: null, verify: false });
  });

  it('trusts the certificates of a file beside the configuration', () => {
    const pem = readFileSync(`${import.meta.dirname}/../fixtures/ca.pem`, 'utf8');
    writeBeside('ca.pem', pem);
    assert.equal(upstreamOf('{upstreams: [{url: "https://a", tls: {ca_file: ca.pem}}]}').tls?.ca, pem);
  });

  it('gets the Host header that its own setting, its pool and TLS say, in that order', () => {
    const hostOf = (text: string) => upstreamOf(text).host;
    assert.deepEqual(hostOf('{upstreams: [{url: "http://a"}]}'), { kind: 'client' });
    assert.deepEqual(hostOf('{host_header: upstream, upstreams: [{url: "http://a"}]}'), { kind: 'upstream' });
    assert.deepEqual(
      hostOf('{host_header: upstream, upstreams: [{url: "http://a", host_header: b.example}]}'),
      {
        kind: 'fixed',
        value: 'b.example',
      },
    );
    assert.deepEqual(hostOf('{upstreams: [{url: "https://a.example"}]}'), {
      kind: 'fixed',
      value: 'a.example',
    });
    assert.deepEqual(hostOf('{upstreams: [{url: "https://a.example:8443"}]}'), {
      kind: 'fixed',
      value: 'a.example:8443',
    });
    assert.deepEqual(hostOf('{upstreams: [{url: "https://1.1.1.1"}]}'), { kind: 'upstream' });
    assert.deepEqual(hostOf('{host_header: client, upstreams: [{url: "https://a.example"}]}'), {
      kind: 'client',
    });
  });
});
