import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { z } from 'zod';
import { MESSAGE_BYTES_MAX } from '#bus/contract.ts';
import { MessageType, type RejectReason } from '#bus/messages.ts';

const opinion = z.strictObject({ upstream: z.string(), up: z.boolean() });

function opinions(bytesMax = 1_000) {
  return new MessageType({ version: 2, bytesMax, parse: (body) => opinion.parse(body) });
}

const body = { upstream: 'red', up: true };
const bytes = (value: unknown) =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));

describe('a message type', () => {
  it('reads what it wrote', () => {
    const type = opinions();
    const plain = { noNullPrototype: true };
    const sent = fc.record(
      {
        from: fc.stringMatching(/^[\w.:-]{1,128}$/),
        sequence: fc.nat(Number.MAX_SAFE_INTEGER),
        body: fc.record({ upstream: fc.string({ maxLength: 50 }), up: fc.boolean() }, plain),
      },
      plain,
    );
    fc.assert(
      fc.property(sent, (message) => {
        const data = type.encode(message);
        assert.ok(data !== null);
        assert.deepEqual(type.decode(data), { ok: true, message });
      }),
    );
  });

  it('rejects what it does not know, and counts why', () => {
    const type = opinions();
    const good = { v: 2, from: 'one', seq: 1, body };
    const cases: [data: Uint8Array, reason: RejectReason][] = [
      [bytes(JSON.stringify(good) + ' '.repeat(1_000)), 'too_large'],
      [bytes(''), 'not_json'],
      [bytes('{"v":2'), 'not_json'],
      [new Uint8Array([0x22, 0xff, 0x22]), 'not_json'],
      [bytes('['.repeat(1_000)), 'not_json'],
      [bytes('null'), 'not_a_message'],
      [bytes('[]'), 'not_a_message'],
      [bytes({ ...good, more: 1 }), 'not_a_message'],
      [bytes({ v: 2, from: 'one', seq: 1 }), 'not_a_message'],
      [bytes({ ...good, from: '' }), 'not_a_message'],
      [bytes({ ...good, from: 'a\nb' }), 'not_a_message'],
      [bytes({ ...good, seq: -1 }), 'not_a_message'],
      [bytes({ ...good, seq: 0.5 }), 'not_a_message'],
      [bytes({ ...good, v: '2' }), 'not_a_message'],
      [bytes({ ...good, v: 1 }), 'unknown_version'],
      [bytes({ v: 3, whatever: 'it has' }), 'unknown_version'],
      [bytes({ ...good, body: { upstream: 'red' } }), 'bad_body'],
      [bytes({ ...good, body: { ...body, more: 1 } }), 'bad_body'],
    ];
    for (const [data, reason] of cases) {
      assert.deepEqual(type.decode(data), { ok: false, reason }, new TextDecoder().decode(data).slice(0, 80));
    }
    assert.deepEqual(type.rejects, {
      too_large: 1,
      not_json: 4,
      not_a_message: 9,
      unknown_version: 2,
      bad_body: 2,
    });
  });

  it('never throws, whatever comes', () => {
    const type = opinions();
    const text = fc.oneof(fc.json(), fc.string()).map(bytes);
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), text), (data) => {
        assert.equal(type.decode(data).ok, false);
      }),
    );
  });

  it('writes nothing that nobody would read', () => {
    const message = { from: 'one', sequence: 1, body: { upstream: 'x'.repeat(2_000), up: true } };
    assert.equal(opinions().encode(message), null);
    assert.notEqual(opinions(4_000).encode(message), null);
    const huge = { ...message, body: { upstream: 'x'.repeat(MESSAGE_BYTES_MAX), up: true } };
    assert.equal(opinions(Infinity).encode(huge), null);
  });
});
