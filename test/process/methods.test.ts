import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startInstance } from '#test/support/process.ts';
import { RawClient, requestOf, statusesIn } from '#test/support/raw-client.ts';
import { startUpstream } from '#test/support/upstream.ts';

const CLOSE = 'Connection: close';

describe('OPTIONS', () => {
  it('for the server as a whole, or for nobody further on, is answered here', async (t) => {
    // `OPTIONS *` was refused as malformed.
    const upstream = await startUpstream(t, 'red');
    const instance = await startInstance(t, [upstream]);
    for (const request of [
      requestOf('OPTIONS *', CLOSE),
      requestOf('OPTIONS http://test', CLOSE),
      requestOf('OPTIONS /path', CLOSE, 'Max-Forwards: 0'),
    ]) {
      const answer = await RawClient.dial(t, instance.port).say(request).ended();
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\nAllow: GET, HEAD, /);
      assert.match(answer, /\r\nContent-Length: 0\r\n/);
    }
    assert.equal(upstream.requests, 0);
  });

  it('for others says that it has passed one proxy more', async (t) => {
    const upstream = await startUpstream(t, 'red', ({ url, headers }, response) =>
      response.end(`${url} ${headers['max-forwards']}`),
    );
    const instance = await startInstance(t, [upstream]);
    const request = requestOf('OPTIONS /path', CLOSE, 'Max-Forwards: 3');
    assert.match(await RawClient.dial(t, instance.port).say(request).ended(), /\/path 2/);
  });

  it('is the only one to name no path, and TRACE is not made possible', async (t) => {
    const instance = await startInstance(t, [await startUpstream(t, 'red')]);
    for (const [line, status] of [
      ['GET *', 400],
      ['TRACE /', 501],
      ['CONNECT a:80', 501],
    ] as const) {
      const answer = await RawClient.dial(t, instance.port)
        .say(requestOf(line, CLOSE, 'Max-Forwards: 0'))
        .ended();
      assert.deepEqual(statusesIn(answer), [status], line);
    }
  });
});

describe('a request that comes through Signalbox again', () => {
  it('is served, and refused when it goes in circles', async (t) => {
    const upstream = await startUpstream(t, 'red');
    const inner = await startInstance(t, [upstream]);
    const outer = await startInstance(t, [{ name: 'inner', port: inner.port }]);
    const passed = await RawClient.dial(t, outer.port).say(requestOf('GET /', CLOSE)).ended();
    assert.deepEqual(statusesIn(passed), [200]);
    const via = (times: number) => `Via: ${Array(times).fill('1.1 signalbox').join(', ')}`;
    for (const [times, status] of [
      [3, 200],
      [4, 508],
    ] as const) {
      const request = requestOf('GET /', CLOSE, via(times));
      const answer = await RawClient.dial(t, inner.port).say(request).ended();
      assert.deepEqual(statusesIn(answer), [status]);
    }
    assert.equal(upstream.requests, 2);
  });
});
