import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fieldName } from '#core/field-names.ts';
import { Fields } from '#core/fields.ts';
import { grpcAnswer, isGrpc } from '#core/grpc.ts';
import { REFUSALS, type Refusal } from '#core/refusals.ts';
import { CAUSES, sampleRefusal } from '#test/support/refusals.ts';
import { sampleTable } from '#test/support/sample-table.ts';

const STAMP = { names: sampleTable().headers, requestId: '0af7', elapsedMs: 3, upstreamName: null };

function answered(refusal: Refusal) {
  const answer = grpcAnswer(refusal, STAMP, Fields.of(['X-Extra', '1']));
  return { ...answer, header: (name: string) => answer.headers.list(fieldName(name)) };
}

describe('a call of gRPC', () => {
  it('is known by its content type, and gRPC-Web is none', () => {
    for (const type of ['application/grpc', 'application/grpc+proto', 'Application/gRPC; x=y'])
      assert.ok(isGrpc(Fields.of(['content-type', type])), type);
    for (const type of ['application/grpc-web', 'application/grpc-web+proto', 'application/json', ''])
      assert.ok(!isGrpc(Fields.of(['Content-Type', type])), type);
    assert.ok(!isGrpc(new Fields()));
  });
});

describe('a refusal of a call of gRPC', () => {
  for (const cause of CAUSES) {
    it(`for ${cause} is headers alone`, () => {
      const { status, headers, body, header } = answered(sampleRefusal(cause));
      assert.deepEqual([status, body, header('content-length')], [200, '', '0']);
      assert.equal(header('content-type'), 'application/grpc');
      assert.match(header('grpc-status') ?? '', /^(?:2|7|12|13|14|16)$/);
      assert.equal(header('grpc-message'), REFUSALS[cause].detail);
      assert.equal(header('x-request-id'), '0af7');
      assert.deepEqual(headers.flat().slice(-2), ['X-Extra', '1']);
    });
  }

  it('has the status that its HTTP status stands for', () => {
    for (const [cause, code] of [
      ['malformed_request', '13'],
      ['credentials_invalid', '16'],
      ['access_denied', '7'],
      ['no_route', '12'],
      ['rate_limited', '14'],
      ['upstream_closed', '14'],
      ['no_upstream', '14'],
      ['upstream_timeout', '14'],
      ['internal', '2'],
    ] as const)
      assert.equal(answered(sampleRefusal(cause)).header('grpc-status'), code, cause);
  });

  it('says why, and what to do about it, as any', () => {
    const unavailable = answered({ cause: 'no_upstream' });
    assert.equal(unavailable.header('proxy-status'), 'signalbox; error=destination_unavailable');
    assert.equal(unavailable.header('retry-after'), '1');
  });

  it('has a message of printable ASCII', () => {
    const detail = '100 % für\nalle \u{1f600}';
    const message = answered({ cause: 'internal', detail }).header('grpc-message') ?? '';
    assert.equal(message, '100 %25 f%C3%BCr%0Aalle %F0%9F%98%80');
    assert.equal(decodeURIComponent(message), detail);
  });
});
