import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { until } from '#test/support/process.ts';
import { startRawUpstream } from '#test/support/upstream.ts';
import {
  EMPTY,
  OK,
  onRequest,
  saying,
  sayingAndClosing,
  sayingAndResetting,
  send,
  sendTo,
  TRANSPORTS,
  type TransportName,
  transportTo,
} from './subject.ts';

type Behaviour = (socket: Socket) => void;
/** What comes of it; by transport where undici does not do what we would. Null: it waits for more, without bound. */
type Outcome = string | Readonly<Record<TransportName, string | null>>;

const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;
const CLOSED = 'fail upstream_closed';
const MALFORMED = 'fail upstream_protocol_error';
/** As an answer like any other. */
const TAKEN = 'head 200';
const unlike = (undici: string | null, h1 = MALFORMED): Outcome => ({ undici, h1 });

/** Before there is a head that counts: attempts that may fail over. */
const BEFORE: Record<string, [behave: Behaviour, outcome: Outcome]> = {
  'closes at once': [(socket) => void socket.destroy(), CLOSED],
  'ends at once': [(socket) => void socket.end(), CLOSED],
  'closes on the request': [onRequest((socket) => void socket.destroy()), CLOSED],
  'resets on the request': [onRequest((socket) => void socket.resetAndDestroy()), CLOSED],
  'closes within its head': [sayingAndClosing(`${OK}Content-Le`), CLOSED],
  'closes after its status': [sayingAndClosing('HTTP/1.1 200'), CLOSED],
  'resets within its head': [sayingAndResetting(`${OK}X: y\r\n`), CLOSED],
  'closes after an early hint': [sayingAndClosing('HTTP/1.1 103 Early Hints\r\n\r\n'), CLOSED],
  'speaks another protocol': [saying('SSH-2.0-OpenSSH_9.9\r\n'), MALFORMED],
  'speaks before it is asked': [(socket) => void socket.write('220 mail ready\r\n'), MALFORMED],
  'answers as HTTP/0.9': [sayingAndClosing('<html>'), MALFORMED],
  'answers as HTTP/2': [saying('HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n'), unlike(TAKEN)],
  'answers in lower case': [saying('http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), MALFORMED],
  'sends an empty line first': [saying(`\r\n${EMPTY}`), unlike(TAKEN)],
  'sends an impossible status': [saying('HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n'), unlike('head 99')],
  'sends a status of four digits': [saying('HTTP/1.1 2000 X\r\n\r\n'), MALFORMED],
  'sends NUL in its reason': [saying('HTTP/1.1 200 a\0b\r\nContent-Length: 0\r\n\r\n'), unlike(TAKEN)],
  'sends LF in its reason': [saying('HTTP/1.1 200 a\nX: y\r\nContent-Length: 0\r\n\r\n'), MALFORMED],
  'ends its lines with LF only': [saying('HTTP/1.1 200 OK\nContent-Length: 0\n\n'), MALFORMED],
  'ends its lines with CR only': [saying('HTTP/1.1 200 OK\rContent-Length: 0\r\r'), MALFORMED],
  'sends a control character': [saying(`${OK}X: a\x01b\r\n\r\n`), MALFORMED],
  'sends NUL in a value': [saying(`${OK}X: a\0b\r\n\r\n`), MALFORMED],
  'sends CR in a value': [saying(`${OK}X: a\rb\r\n\r\n`), MALFORMED],
  'folds a header': [saying(`${OK}X: a\r\n b\r\n\r\n`), MALFORMED],
  'sends a name with a space': [saying(`${OK}X Y: a\r\n\r\n`), MALFORMED],
  'sends a space before the colon': [saying(`${OK}Content-Length : 0\r\n\r\n`), MALFORMED],
  'sends an empty name': [saying(`${OK}: a\r\n\r\n`), MALFORMED],
  'sends a line without colon': [saying(`${OK}X\r\n\r\n`), MALFORMED],
  'sends two lengths': [saying(`${OK}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`), MALFORMED],
  'sends one length twice': [saying(`${OK}Content-Length: 0\r\nContent-Length: 0\r\n\r\n`), MALFORMED],
  'sends a list of lengths': [saying(`${OK}Content-Length: 0, 0\r\n\r\n`), MALFORMED],
  'sends a negative length': [saying(`${OK}Content-Length: -1\r\n\r\n`), MALFORMED],
  'sends a length with a sign': [saying(`${OK}Content-Length: +3\r\n\r\nabc`), MALFORMED],
  'sends an empty length': [saying(`${OK}Content-Length:\r\n\r\n`), MALFORMED],
  'sends an endless length': [saying(`${OK}Content-Length: ${'9'.repeat(30)}\r\n\r\n`), MALFORMED],
  'sends a length and chunks': [
    saying(`${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    MALFORMED,
  ],
  'sends chunks and a length': [
    saying(`${OK}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n`),
    MALFORMED,
  ],
  'sends a coding that was not asked for': [
    saying(`${OK}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
    MALFORMED,
  ],
  'sends chunked twice': [
    saying(`${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
    MALFORMED,
  ],
  'sends chunks in HTTP/1.0': [
    saying('HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'),
    unlike(TAKEN),
  ],
  'sends a head without end': [saying(`${OK}X: ${'a'.repeat(70_000)}`), MALFORMED],
  'sends headers without end': [saying(`${OK}${'X: y\r\n'.repeat(20_000)}`), unlike(null)],
  'sends more headers than anybody needs': [
    saying(`${OK}${'X: y\r\n'.repeat(2000)}Content-Length: 0\r\n\r\n`),
    unlike(TAKEN),
  ],
};

/** Once the head is there: the client knows that there is more. */
const WITHIN: Record<string, [behave: Behaviour, data: string, outcome: Outcome]> = {
  'ends too soon': [sayingAndClosing(`${OK}Content-Length: 10\r\n\r\nabc`), 'abc', CLOSED],
  'ends too soon, as it had said': [
    sayingAndClosing(`${OK}Connection: close\r\nContent-Length: 9\r\n\r\nabc`),
    'abc',
    unlike(MALFORMED, CLOSED),
  ],
  'ends before its body': [sayingAndClosing(`${OK}Content-Length: 10\r\n\r\n`), '', CLOSED],
  'ends within a chunk': [sayingAndClosing(`${CHUNKED}5\r\nabc`), 'abc', CLOSED],
  'ends between chunks': [sayingAndClosing(`${CHUNKED}3\r\nabc\r\n`), 'abc', CLOSED],
  'ends before its last empty line': [sayingAndClosing(`${CHUNKED}3\r\nabc\r\n0\r\n`), 'abc', CLOSED],
  'ends within a trailer': [sayingAndClosing(`${CHUNKED}0\r\nX: y`), '', CLOSED],
  'resets within its body': [sayingAndResetting(`${OK}Content-Length: 10\r\n\r\nabc`), 'abc', CLOSED],
  'resets within a body without length': [sayingAndResetting(`${OK}\r\nabc`), 'abc', unlike('end', CLOSED)],
  'sends a bad size': [saying(`${CHUNKED}3\r\nabc\r\nzz\r\n`), 'abc', MALFORMED],
  'sends a negative size': [saying(`${CHUNKED}-1\r\n`), '', MALFORMED],
  'sends an endless size': [saying(`${CHUNKED}${'f'.repeat(20)}\r\n`), '', MALFORMED],
  'sends a chunk longer than its size': [saying(`${CHUNKED}2\r\nabc\r\n`), 'ab', MALFORMED],
  'ends a chunk with LF': [saying(`${CHUNKED}3\r\nabc\n0\r\n\r\n`), 'abc', MALFORMED],
  'ends a size with LF': [saying(`${CHUNKED}3\nabc\r\n0\r\n\r\n`), '', MALFORMED],
  'folds a trailer': [saying(`${CHUNKED}0\r\nX: y\r\n z\r\n\r\n`), '', MALFORMED],
  'sends trailers without end': [saying(`${CHUNKED}0\r\n${'X: y\r\n'.repeat(20_000)}`), '', unlike(null)],
  'sends a chunk extension without end': [saying(`${CHUNKED}1;${'a'.repeat(70_000)}`), '', unlike(null)],
};

for (const name of TRANSPORTS) {
  describe(`an upstream that, through ${name},`, { concurrency: true }, () => {
    const of = (outcome: Outcome) => (typeof outcome === 'string' ? outcome : outcome[name]);

    for (const [how, [behave, outcome]] of Object.entries(BEFORE)) {
      if (of(outcome) === null) continue;
      it(`${how}: ${of(outcome)}`, async (t) => {
        const recorder = await sendTo(t, name, behave);
        const told = () => recorder.events.filter((event) => event !== 'head 103');
        await until('there is an outcome', () => told().length > 1);
        assert.deepEqual(told().slice(0, 2), ['start', of(outcome)]);
      });
    }

    for (const [how, [behave, data, outcome]] of Object.entries(WITHIN)) {
      if (of(outcome) === null) continue;
      it(`${how}: ${of(outcome)}`, async (t) => {
        const recorder = await (await sendTo(t, name, behave)).over();
        assert.equal(recorder.data, data);
        const told = recorder.events.filter((event) => !event.startsWith('data'));
        assert.deepEqual(told, ['start', 'head 200', of(outcome)]);
      });
    }

    it('sends informational answers without end: refused, in time', async (t) => {
      // undici has no bound for them; the deadlines of attempts are its bound.
      if (name === 'undici') return;
      const behave = onRequest((socket) => {
        const more = () =>
          void socket.write('HTTP/1.1 103 X\r\n\r\n'.repeat(10), (error) => error ?? setImmediate(more));
        more();
      });
      const { events } = await (await sendTo(t, name, behave)).over();
      assert.equal(events.at(-1), MALFORMED);
      assert.ok(events.length < 30);
    });

    it('fails in whatever way, is asked again on another connection', async (t) => {
      const behaviours = [
        ...Object.entries(BEFORE).map(([how, [behave, outcome]]) => ({ how, behave, outcome: of(outcome) })),
        ...Object.entries(WITHIN).map(([how, [behave, , outcome]]) => ({
          how,
          behave,
          outcome: of(outcome),
        })),
      ];
      for (const { how, behave, outcome } of behaviours) {
        if (outcome === null || !outcome.startsWith('fail')) continue;
        let connections = 0;
        const { port } = await startRawUpstream(t, (socket) => {
          if (connections++ === 0) behave(socket);
          else saying(EMPTY)(socket);
        });
        const transport = transportTo(t, name, { port });
        send(transport);
        const { events } = await send(transport).over();
        assert.deepEqual([how, ...events], [how, 'start', 'head 200', 'end']);
        assert.equal(connections, 2, how);
      }
    });
  });
}
