import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { describe, it } from 'node:test';
import { startInstance } from '#test/support/process.ts';
import { startUpstream } from '#test/support/upstream.ts';

/** The path goes out as it is, which URL would not let it. */
async function statusOf(port: number, path: string): Promise<number | undefined> {
  const [response] = (await once(
    request({ host: '127.0.0.1', port, path, agent: false }).end(),
    'response',
  )) as [IncomingMessage];
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

describe('a route that asks for credentials', () => {
  it('is not got around by writing its path in another way', async (t) => {
    // `/private;x` and `//x/private` went to the route without, and upstreams read them as /private.
    const seen: string[] = [];
    const upstream = await startUpstream(t, 'red', (incoming, response) => {
      seen.push(incoming.url ?? '');
      response.end();
    });
    const { port } = await startInstance(t, [upstream], {
      routes: [{ path_prefix: '/private', auth: { valid_tokens: ['t'] } }, {}],
    });

    const asked = ['/private', '/private;x', '/private%3bx', '/;x/private', '//private', '/./private'];
    asked.push('/%70rivate', '/private%2fx', '/private\\x', '/public/../private', '/public/%2e%2e/private');
    for (const path of asked) assert.equal(await statusOf(port, path), 401, path);
    const ambiguous = ['/public/..;/private', '/public/%2e%2e;x/private', '/public/..%2fprivate'];
    ambiguous.push('/public\\..\\private', '/;x%2fpublic', '/..');
    for (const path of ambiguous) assert.equal(await statusOf(port, path), 400, path);
    assert.deepEqual(seen, []);

    const open = ['/public;v=1?q=;', '/a%2fb', '/privateer', '//x/private'];
    for (const path of open) assert.equal(await statusOf(port, path), 200, path);
    assert.deepEqual(seen, [...open.slice(0, -1), '/x/private']);
  });
});
