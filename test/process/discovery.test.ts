/** Upstreams that are given by host name: a real instance, a real DNS server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { upstreamsOf } from '#test/support/cluster.ts';
import { DnsServer } from '#test/support/dns.ts';
import { startInstance, until } from '#test/support/process.ts';

const HOST = 'api.example.test';

describe('a host name of an upstream', () => {
  it('that does not resolve stops no start, and then is as many endpoints as it has addresses', async (t) => {
    const hosts: string[] = [];
    const server = createServer(({ headers, socket }, response) => {
      hosts.push(headers.host ?? '');
      response.end(socket.localAddress);
    }).listen(0, '0.0.0.0');
    await once(server, 'listening');
    t.after(() => server.close().closeAllConnections());
    const { port } = server.address() as { port: number };
    const dns = await DnsServer.start(t, {});
    const instance = await startInstance(t, [], {
      load_balancing: { upstreams: [{ name: 'api', address: HOST, port, host_header: 'upstream' }] },
      dns: { servers: [dns.address] },
    });
    assert.equal((await fetch(instance.url)).status, 503);

    dns.zone[HOST] = { addresses: ['127.0.0.1', '127.0.0.2'], ttl: 1 };
    const seen = new Set<string>();
    await until('both addresses answer', async () => {
      const answer = await fetch(instance.url);
      if (answer.status === 200) seen.add(await answer.text());
      return seen.size === 2;
    });
    assert.deepEqual([...seen].toSorted(), ['127.0.0.1', '127.0.0.2']);
    assert.deepEqual([...new Set(hosts)], [`${HOST}:${port}`]);
    const shown = await upstreamsOf(instance);
    assert.deepEqual(
      shown.map(({ name }) => name),
      ['api', 'api'],
    );

    dns.zone[HOST] = { addresses: ['127.0.0.2'], ttl: 1 };
    await until('one address is left', async () => (await upstreamsOf(instance)).length === 1);
    dns.isFailing = true;
    assert.equal(await (await fetch(instance.url)).text(), '127.0.0.2');
  });
});
