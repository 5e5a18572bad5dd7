import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reply } from '#actors/request/reply.ts';
import { Fields } from '#core/fields.ts';
import { REFUSALS } from '#core/refusals.ts';
import { rawRefusal, sendRefusal } from '#http/refuse.ts';
import { CAUSES, sampleRefusal } from '#test/support/refusals.ts';
import { sampleTable } from '#test/support/sample-table.ts';

const STAMP = { names: sampleTable().headers, requestId: '0af7', elapsedMs: 3, upstreamName: null };

describe('a refusal without a request', () => {
  for (const cause of CAUSES) {
    it(`for ${cause} is a whole answer that ends the connection`, () => {
      const raw = rawRefusal(sampleRefusal(cause), STAMP);
      const [head = '', body = ''] = raw.split('\r\n\r\n');
      const [statusLine, ...lines] = head.split('\r\n');
      assert.equal(statusLine, `HTTP/1.1 ${REFUSALS[cause].status} ${REFUSALS[cause].title}`);
      for (const line of lines) assert.match(line, /^[A-Za-z-]+: [ -~]+$/);
      assert.ok(lines.includes('Connection: close'));
      assert.ok(lines.includes(`Content-Length: ${Buffer.byteLength(body)}`));
      assert.ok(lines.includes('X-Request-ID: 0af7'));
      assert.equal(JSON.parse(body).status, REFUSALS[cause].status);
    });
  }
});

describe('a refusal of a request', () => {
  const sent = (method: string, headers: readonly string[] = []) => {
    const parts: unknown[] = [];
    const reply: Pick<Reply, 'head' | 'write'> = {
      head: (status, reason, fields) => parts.push([status, reason, fields.flat()]),
      write: (chunk) => parts.push(chunk) > 0,
    };
    sendRefusal(reply as Reply, { cause: 'no_route' }, STAMP, Fields.of(['RateLimit', 'r=1']), {
      method,
      headers: Fields.of(headers),
    });
    return parts;
  };

  it('is sent without its body to HEAD, and else the same', () => {
    const [head, body] = sent('GET') as [[number, string, string[]], string];
    assert.deepEqual(sent('HEAD'), [head]);
    assert.deepEqual(head.slice(0, 2), [404, 'Not Found']);
    assert.ok(head[2].includes(`${Buffer.byteLength(body)}`));
    assert.ok(head[2].includes('RateLimit'));
  });

  it('is headers alone to a call of gRPC', () => {
    const [head, ...rest] = sent('POST', ['Content-Type', 'application/grpc+proto']) as [
      [number, string, string[]],
    ];
    assert.deepEqual(rest, []);
    assert.equal(head[0], 200);
    assert.ok(head[2].includes('grpc-status') && head[2].includes('RateLimit'));
  });
});
