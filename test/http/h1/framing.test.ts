import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { readControlFields } from '#http/h1/control-fields.ts';
import { isPersistent, requestFraming, responseFraming } from '#http/h1/framing.ts';

const request = (...headers: string[]) => requestFraming(readControlFields(Fields.of(headers)), 1);
const response = (method: string, status: number, ...headers: string[]) =>
  responseFraming(readControlFields(Fields.of(headers)), 1, method, status);

const LENGTH = 'Content-Length';
const CODING = 'Transfer-Encoding';

const FAULTS: readonly (readonly [fault: string, ...headers: string[]])[] = [
  ...[
    '',
    '-1',
    '+1',
    '1 2',
    '1,1',
    '1, 2',
    '0x1',
    '1e1',
    '1.0',
    'a',
    '\xb2',
    '9'.repeat(16),
    '0'.repeat(17),
  ].map((value) => ['bad_length', LENGTH, value] as const),
  ['several_lengths', LENGTH, '1', LENGTH, '2'],
  ['several_lengths', LENGTH, '1', 'content-length', '1'],
  ['length_and_coding', LENGTH, '1', CODING, 'chunked'],
  ['length_and_coding', CODING, 'chunked', 'CONTENT-LENGTH', '0'],
  ...[
    '',
    'gzip',
    'identity',
    'gzip, chunked',
    'chunked, chunked',
    'chunked;a=b',
    'xchunked',
    'chunked,',
    '"chunked"',
    'chunked\xa0',
  ].map((value) => ['unsupported_coding', CODING, value] as const),
  ['unsupported_coding', CODING, 'chunked', CODING, 'chunked'],
  ['unsupported_coding', CODING, 'gzip', 'transfer-encoding', 'chunked'],
];

describe('the framing of a request', () => {
  it('is what its fields say', () => {
    assert.deepEqual(request('Host', 'x'), { kind: 'none' });
    assert.deepEqual(request(LENGTH, '0'), { kind: 'none' });
    assert.deepEqual(request('content-length', '007'), { kind: 'length', bytes: 7 });
    assert.deepEqual(request('TRANSFER-encoding', 'ChunKed'), { kind: 'chunked' });
  });

  it('has a fault wherever it could be read in another way', () => {
    for (const [fault, ...headers] of FAULTS) assert.equal(request(...headers), fault, `${headers}`);
  });

  it('is not chunked in HTTP/1.0, which does not know that', () => {
    assert.equal(requestFraming(readControlFields(Fields.of([CODING, 'chunked'])), 0), 'coding_in_http_1_0');
  });
});

describe('the framing of a response', () => {
  it('is what its fields say, or lasts until the connection ends', () => {
    assert.deepEqual(response('GET', 200, LENGTH, '7'), { kind: 'length', bytes: 7 });
    assert.deepEqual(response('GET', 200, LENGTH, '0'), { kind: 'none' });
    assert.deepEqual(response('GET', 200, CODING, 'chunked'), { kind: 'chunked' });
    assert.deepEqual(response('GET', 200), { kind: 'until_close' });
  });

  it('is none where there is no body, whatever its fields say', () => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 304],
      ['GET', 204],
      ['GET', 103],
    ] as const) {
      for (const headers of [[], [LENGTH, '7'], [CODING, 'chunked']])
        assert.deepEqual(response(method, status, ...headers), { kind: 'none' });
    }
  });

  it('has a fault wherever it could be read in another way, with a body or not', () => {
    for (const [fault, ...headers] of FAULTS) {
      assert.equal(response('GET', 200, ...headers), fault, `${headers}`);
      assert.equal(response('HEAD', 200, ...headers), fault, `${headers}`);
    }
    assert.equal(
      responseFraming(readControlFields(Fields.of([CODING, 'chunked'])), 0, 'GET', 200),
      'coding_in_http_1_0',
    );
  });
});

describe('the control fields of a head', () => {
  const persists = (minor: 0 | 1, ...connection: string[]) =>
    isPersistent(readControlFields(Fields.of(connection.flatMap((value) => ['Connection', value]))), minor);

  it('say whether the connection goes on', () => {
    assert.equal(persists(1), true);
    assert.equal(persists(0), false);
    assert.equal(persists(0, 'Keep-Alive'), true);
    assert.equal(persists(1, 'close'), false);
    assert.equal(persists(1, 'x, CLOSE ,y'), false);
    assert.equal(persists(1, 'keep-alive', 'close'), false);
    assert.equal(persists(1, 'closed, enclose'), true);
  });

  // A no-break space was taken for a blank, and ended a connection that everybody else goes on with.
  it('say nothing with what only looks like a blank', () => {
    assert.equal(readControlFields(Fields.of(['Connection', 'close\xa0'])).closes, false);
    assert.equal(readControlFields(Fields.of(['Connection', 'x,\tclose '])).closes, true);
  });

  it('say for how long', () => {
    const seconds = (value: string) => readControlFields(Fields.of(['keep-alive', value])).keepAliveSeconds;
    assert.equal(seconds('timeout=5'), 5);
    assert.equal(seconds('max=100, Timeout=7'), 7);
    for (const value of ['', 'timeout=', 'timeout=-1', 'xtimeout=5', 'timeout=1e9', 'timeout=9999999999'])
      assert.equal(seconds(value), null, value);
  });

  it('say what to switch to, if the connection agrees', () => {
    const upgrade = (...headers: string[]) => readControlFields(Fields.of(headers)).upgrade;
    assert.equal(upgrade('Upgrade', 'WebSocket', 'Connection', 'keep-alive, Upgrade'), 'websocket');
    assert.equal(upgrade('Upgrade', 'websocket'), null);
    assert.equal(upgrade('Connection', 'upgrade'), null);
  });

  it('say whether the client waits', () => {
    assert.equal(readControlFields(Fields.of(['eXpEcT', '100-CONTINUE'])).expectsContinue, true);
    assert.equal(readControlFields(Fields.of(['Expect', '200-maybe'])).expectsContinue, false);
  });
});
