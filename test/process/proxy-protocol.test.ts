import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { binaryHeader } from '#test/http/proxy-protocol/headers.ts';
import { startInstance } from '#test/support/process.ts';
import { RawClient, requestOf } from '#test/support/raw-client.ts';
import { startUpstream } from '#test/support/upstream.ts';

const GET = requestOf('GET /', 'Connection: close', 'X-Forwarded-For: 203.0.113.9');

/** An instance behind 127.0.0.1, and an upstream that says who asks. */
async function scene(t: TestContext, server: object = {}) {
  const upstream = await startUpstream(t, 'red', (request, response) => {
    response.end(`asked by ${request.headers['x-forwarded-for']}`);
  });
  const instance = await startInstance(t, [upstream], {
    server: { proxy_protocol: true, trusted_proxies: ['127.0.0.1'], ...server },
    middleware: { access: { deny: ['192.0.2.66'] } },
  });
  return (bytes: string, from?: string) => RawClient.dial(t, instance.port, from).say(bytes).ended();
}

const line = (source: string) => `PROXY TCP4 ${source} 198.51.100.1 56324 443\r\n`;

describe('with proxy_protocol', () => {
  it('the client is who the proxy announces, for upstreams and access lists', async (t) => {
    const say = await scene(t);
    assert.match(await say(`${line('192.0.2.7')}${GET}`), /asked by 192\.0\.2\.7$/);
    const binary = binaryHeader({ source: [192, 0, 2, 8], detailsBytes: 50 }).toString('latin1');
    assert.match(await say(`${binary}${GET}`), /asked by 192\.0\.2\.8$/);
    assert.match(await say(`${line('192.0.2.66')}${GET}`), /^HTTP\/1\.1 403 /);
  });

  it('the proxy itself may ask, and is believed as ever', async (t) => {
    const say = await scene(t);
    assert.match(await say(`PROXY UNKNOWN\r\n${GET}`), /asked by 203\.0\.113\.9, 127\.0\.0\.1$/);
  });

  it('connections are counted for the client that is announced', async (t) => {
    const upstream = await startUpstream(t, 'red');
    const instance = await startInstance(t, [upstream], {
      server: { proxy_protocol: true, trusted_proxies: ['127.0.0.1'], connections_per_client_max: 1 },
    });
    const dial = (source: string) => RawClient.dial(t, instance.port).say(line(source) + requestOf('GET /'));
    await dial('192.0.2.7').hears('200 OK');
    await dial('192.0.2.8').hears('200 OK');
    assert.match(await dial('192.0.2.7').ended(), /^HTTP\/1\.1 503 .*"error":"Too many connections"/s);
  });

  it('nobody else may announce anyone, and nobody may go without', async (t) => {
    const say = await scene(t);
    assert.match(await say(`${line('192.0.2.7')}${GET}`, '127.0.0.2'), /^HTTP\/1\.1 403 /);
    assert.match(await say(GET), /^HTTP\/1\.1 400 .*"error":"Bad PROXY header"/s);
  });
});
