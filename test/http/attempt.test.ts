import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type Dispatcher, Pool } from 'undici';
import type { Answer, AnswerSink } from '#http/answer.ts';
import { Attempt } from '#http/attempt.ts';
import { failureCause } from '#http/attempt-failure.ts';
import { until } from '#test/support/process.ts';
import { sampleUpstream } from '#test/support/sample-table.ts';
import { startRawUpstream } from '#test/support/upstream.ts';

const HEAD = 'HTTP/1.1 200 OK\r\n';
const SWITCH = 'HTTP/1.1 101 Sure\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

type Scene = {
  /** What the upstream does with each connection. */
  readonly upstream: (socket: Socket) => void;
  readonly options?: Partial<Dispatcher.DispatchOptions>;
  /** Whether an answer is delivered at once; otherwise the test does it. */
  readonly isDelivered?: boolean;
};

type Told = {
  readonly attempt: Attempt;
  readonly pool: Pool;
  /** What the observer and the sink were told, in order. */
  readonly events: readonly string[];
  readonly data: () => string;
  readonly answer: () => Answer;
  readonly deliver: () => void;
  /** Resolves when the attempt is over for whoever watches it. */
  readonly over: () => Promise<void>;
};

/** One attempt at a raw upstream through undici, as the worker makes it. */
async function attemptAt(t: TestContext, { upstream, options, isDelivered = true }: Scene): Promise<Told> {
  const { port } = await startRawUpstream(t, upstream);
  const pool = new Pool(`http://127.0.0.1:${port}`, { pipelining: 1, connections: 1, maxHeaderSize: 65_536 });
  t.after(() => pool.destroy());
  const events: string[] = [];
  const chunks: Buffer[] = [];
  const sink: AnswerSink = {
    data: (chunk) => chunks.push(chunk) > 0,
    end: () => events.push('end'),
    fail: () => events.push('fail'),
  };
  const attempt = new Attempt(sampleUpstream(), {
    started: () => events.push('started'),
    answered: (answer) => {
      events.push(`answered ${answer.status}`);
      if (isDelivered && answer.tunnel === null) answer.deliver(sink);
    },
    failed: (error, written) => events.push(`failed ${failureCause(error, written)}`),
    settled: () => events.push('settled'),
  });
  pool.dispatch({ method: 'GET', path: '/', headers: ['Host', 'x'], ...options }, attempt);
  return {
    attempt,
    pool,
    events,
    data: () => `${Buffer.concat(chunks)}`,
    answer: () => attempt,
    deliver: () => attempt.deliver(sink),
    over: () => until('the attempt is over', () => events.includes('settled')),
  };
}

/** An upstream that does something once the request has come. */
function onRequest(act: (socket: Socket) => void): (socket: Socket) => void {
  return (socket) => socket.once('data', () => act(socket));
}

const saying = (text: string) => onRequest((socket) => void socket.write(text, 'latin1'));
const sayingAndClosing = (text: string) => onRequest((socket) => void socket.end(text, 'latin1'));

/** Writes, and resets the connection once that has arrived. */
function sayingAndResetting(text: string): (socket: Socket) => void {
  return onRequest((socket) => socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20)));
}

describe('an upstream that answers', { concurrency: true }, () => {
  const whole = ['started', 'answered 200', 'settled', 'end'];
  const answers: Record<string, [upstream: (socket: Socket) => void, body: string]> = {
    'with a length': [saying(`${HEAD}Content-Length: 3\r\n\r\nabc`), 'abc'],
    'with chunks': [
      saying(`${HEAD}Transfer-Encoding: Chunked \r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n`),
      'abc',
    ],
    'until it closes': [sayingAndClosing(`${HEAD}\r\nabc`), 'abc'],
    'with trailers': [saying(`${HEAD}Transfer-Encoding: chunked\r\n\r\n0\r\nX-Sum: 1\r\n\r\n`), ''],
    'as HTTP/1.0': [sayingAndClosing('HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc'), 'abc'],
    'and then hints at a reset': [sayingAndResetting(`${HEAD}Content-Length: 3\r\n\r\nabc`), 'abc'],
    'with bytes beyond its length': [saying(`${HEAD}Content-Length: 3\r\n\r\nabc${HEAD}\r\n`), 'abc'],
    'after an early hint': [
      saying(`HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${HEAD}Content-Length: 3\r\n\r\nabc`),
      'abc',
    ],
    'with nothing': [saying(`${HEAD}Content-Length: 0\r\n\r\n`), ''],
  };
  for (const [how, [upstream, body]] of Object.entries(answers)) {
    it(`${how} is heard whole`, async (t) => {
      const { events, data, over } = await attemptAt(t, { upstream });
      await over();
      assert.deepEqual(events, whole);
      assert.equal(data(), body);
    });

    it(`${how} is heard whole later, too`, async (t) => {
      const resets = how.includes('reset');
      const { events, data, deliver, answer, over } = await attemptAt(t, { upstream, isDelivered: false });
      await until('it is answered', () => events.includes('answered 200'));
      assert.equal(answer().status, 200);
      if (resets) await over();
      deliver();
      await until('its body has ended', () => events.includes(resets ? 'fail' : 'end'));
      assert.equal(data(), resets ? '' : body);
      assert.equal(events.filter((event) => event === 'settled').length, 1);
    });
  }

  it('to HEAD, or with 304 or 204, has no body, whatever its length says', async (t) => {
    for (const [method, status] of [
      ['HEAD', 200],
      ['GET', 304],
      ['GET', 204],
    ] as const) {
      for (const isDelivered of [true, false]) {
        const upstream = saying(`HTTP/1.1 ${status} X\r\nContent-Length: 30\r\n\r\n`);
        const { events, deliver } = await attemptAt(t, { upstream, isDelivered, options: { method } });
        await until('it is answered', () => events.includes(`answered ${status}`));
        if (!isDelivered) deliver();
        await until('it has ended', () => events.includes('end'));
        assert.equal(events.filter((event) => event === 'settled').length, 1);
      }
    }
  });

  it('is heard byte for byte in its headers', async (t) => {
    const { answer, over } = await attemptAt(t, {
      upstream: saying(`${HEAD}x-B: 1\r\nX-b:\r\nX-B:  \xc3\xa9\xff\r\nContent-Length: 0\r\n\r\n`),
    });
    await over();
    assert.deepEqual(answer().headers, ['x-B', '1', 'X-b', '', 'X-B', '\xc3\xa9\xff', 'Content-Length', '0']);
  });

  it('is heard without its reason if that is not plain text', async (t) => {
    // Such a phrase does not fit in an answer's head, and the answer was lost over it.
    const reasonOf = async (reason: string) => {
      const { answer, over } = await attemptAt(t, {
        upstream: saying(`HTTP/1.1 200 ${reason}\r\nContent-Length: 0\r\n\r\n`),
      });
      await over();
      return answer().reason;
    };
    assert.equal(await reasonOf('Just fine'), 'Just fine');
    assert.equal(await reasonOf('Tr\xe8s bien'), '');
    assert.equal(await reasonOf(''), '');
  });

  it('waits where the sink asks it to', async (t) => {
    const total = 4 * 1024 * 1024;
    let upstreamSocket: Socket | undefined;
    const { events, attempt } = await attemptAt(t, {
      isDelivered: false,
      upstream: onRequest((socket) => {
        upstreamSocket = socket;
        socket.write(`${HEAD}Content-Length: ${total}\r\n\r\n`);
        socket.write(Buffer.alloc(total));
      }),
    });
    await until('it is answered', () => events.includes('answered 200'));
    let received = 0;
    const data = (chunk: Buffer) => {
      received += chunk.length;
      return false;
    };
    attempt.deliver({ data, end: () => {}, fail: () => {} });
    await until('the first chunk is there', () => received > 0);
    const before = received;
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(received, before);
    assert.ok(!upstreamSocket?.writableFinished);
    await until('all has come', () => {
      for (let chunks = 0; chunks < 32; chunks++) attempt.resume();
      return events.includes('settled');
    });
    assert.equal(received, total);
  });

  it('keeps its connection for the next request', async (t) => {
    let connections = 0;
    const { pool, over } = await attemptAt(t, {
      upstream: (socket) => {
        connections++;
        socket.on('data', () => socket.write(`${HEAD}Content-Length: 2\r\n\r\nok`));
      },
    });
    await over();
    const { body } = await pool.request({ method: 'GET', path: '/' });
    assert.equal(await body.text(), 'ok');
    assert.equal(connections, 1);
  });
});

describe('an upstream that fails before its head is whole', { concurrency: true }, () => {
  const failures: Record<string, [upstream: (socket: Socket) => void, cause: string]> = {
    'closes at once': [(socket) => void socket.destroy(), 'upstream_closed'],
    'ends at once': [(socket) => void socket.end(), 'upstream_closed'],
    'closes on the request': [onRequest((socket) => void socket.destroy()), 'upstream_closed'],
    'resets on the request': [onRequest((socket) => void socket.resetAndDestroy()), 'upstream_closed'],
    'closes within its head': [sayingAndClosing(`${HEAD}Content-Le`), 'upstream_closed'],
    'closes after an early hint': [sayingAndClosing('HTTP/1.1 103 Early Hints\r\n\r\n'), 'upstream_closed'],
    'speaks another protocol': [saying('SSH-2.0-OpenSSH_9.9\r\n'), 'upstream_protocol_error'],
    'speaks before it is asked': [
      (socket) => void socket.write('220 mail ready\r\n'),
      'upstream_protocol_error',
    ],
    'answers as HTTP/0.9': [sayingAndClosing('<html>'), 'upstream_protocol_error'],
    'sends a control character': [saying(`${HEAD}X: a\x01b\r\n\r\n`), 'upstream_protocol_error'],
    'folds a header': [saying(`${HEAD}X: a\r\n b\r\n\r\n`), 'upstream_protocol_error'],
    'ends its lines with LF only': [
      saying('HTTP/1.1 200 OK\nContent-Length: 0\n\n'),
      'upstream_protocol_error',
    ],
    'sends a name with a space': [saying(`${HEAD}X Y: a\r\n\r\n`), 'upstream_protocol_error'],
    'sends two lengths': [
      saying(`${HEAD}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`),
      'upstream_protocol_error',
    ],
    'sends a length and chunks': [
      saying(`${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`),
      'upstream_protocol_error',
    ],
    'sends a coding that was not asked for': [
      saying(`${HEAD}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`),
      'upstream_protocol_error',
    ],
    'sends an impossible status': [saying('HTTP/1.1 099 X\r\n\r\n'), 'upstream_protocol_error'],
    'switches protocols unasked': [saying(SWITCH), 'upstream_protocol_error'],
    'sends a head without end': [saying(`${HEAD}X: ${'a'.repeat(70_000)}`), 'upstream_protocol_error'],
    'says nothing': [() => {}, 'upstream_timeout'],
  };
  for (const [how, [upstream, cause]] of Object.entries(failures)) {
    it(`${how}: ${cause}`, async (t) => {
      const { events, over } = await attemptAt(t, { upstream, options: { headersTimeout: 200 } });
      await over();
      await until('it has failed', () => events.length > 2);
      assert.deepEqual(events.toSorted(), [`failed ${cause}`, 'settled', 'started']);
    });
  }

  it('never starts: a header that would break the request apart', async (t) => {
    for (const headers of [
      ['X', 'a\r\nb'],
      ['X\r\nY', 'a'],
      ['X', 'a\0'],
    ]) {
      const { events } = await attemptAt(t, { upstream: () => {}, options: { headers } });
      assert.deepEqual(events.toSorted(), ['failed malformed_request', 'settled']);
    }
  });
});

describe('an upstream that fails within its body', { concurrency: true }, () => {
  const failures: Record<string, (socket: Socket) => void> = {
    'ends too soon': sayingAndClosing(`${HEAD}Content-Length: 10\r\n\r\nabc`),
    'ends too soon, as it had said': sayingAndClosing(
      `${HEAD}Connection: close\r\nContent-Length: 9\r\n\r\nabc`,
    ),
    'ends within its chunks': sayingAndClosing(`${HEAD}Transfer-Encoding: chunked\r\n\r\n5\r\nabc`),
    'ends between chunks, as it had said': sayingAndClosing(
      `${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n`,
    ),
    resets: sayingAndResetting(`${HEAD}Content-Length: 10\r\n\r\nabc`),
    'sends a bad chunk': saying(`${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n`),
    stalls: saying(`${HEAD}Content-Length: 10\r\n\r\nabc`),
  };
  for (const [how, upstream] of Object.entries(failures)) {
    it(`${how}: the sink is told once`, async (t) => {
      const { events, over, attempt } = await attemptAt(t, { upstream, options: { bodyTimeout: 200 } });
      await over();
      await until('the sink knows', () => events.includes('fail'));
      attempt.release();
      assert.deepEqual(events, ['started', 'answered 200', 'settled', 'fail']);
    });
  }

  it('before anybody took it: the sink is told when it comes', async (t) => {
    // It was told nothing, and its client waited for ever.
    const { events, over, deliver } = await attemptAt(t, {
      isDelivered: false,
      upstream: sayingAndResetting(`${HEAD}Content-Length: 10\r\n\r\nabc`),
    });
    await over();
    deliver();
    assert.deepEqual(events, ['started', 'answered 200', 'settled', 'fail']);
  });
});

describe('an attempt that is let go', { concurrency: true }, () => {
  it('before it started is over at once, and never starts', async (t) => {
    let connections = 0;
    const { attempt, events, pool } = await attemptAt(t, {
      upstream: (socket) => {
        connections++;
        socket.on('data', () => socket.write(`${HEAD}Content-Length: 0\r\n\r\n`));
      },
    });
    attempt.release();
    assert.deepEqual(events, ['settled']);
    // What is asked next proves that the one before it is out of the way.
    await (await pool.request({ method: 'GET', path: '/' })).body.dump();
    assert.deepEqual(events, ['settled']);
    assert.equal(connections, 1);
  });

  it('in the queue of a busy pool is over at once, and never starts', async (t) => {
    const sockets: Socket[] = [];
    const { pool, events: busy } = await attemptAt(t, { upstream: (socket) => void sockets.push(socket) });
    await until('the connection is busy', () => busy.includes('started'));
    const events: string[] = [];
    const queued = new Attempt(sampleUpstream(), {
      started: () => events.push('started'),
      answered: () => events.push('answered'),
      failed: () => events.push('failed'),
      settled: () => events.push('settled'),
    });
    pool.dispatch({ method: 'GET', path: '/' }, queued);
    queued.release();
    assert.deepEqual(events, ['settled']);
    sockets[0]?.write(`${HEAD}Content-Length: 0\r\n\r\n`);
    await until('the first is over', () => busy.includes('end'));
    await until('nothing is queued', () => pool.stats.size === 0);
    assert.deepEqual(events, ['settled']);
  });

  for (const [when, upstream, events] of [
    ['while it waits for an answer', () => {}, ['started', 'settled']],
    [
      'within the body',
      saying(`${HEAD}Content-Length: 9\r\n\r\nabc`),
      ['started', 'answered 200', 'settled'],
    ],
  ] as const) {
    it(`${when} closes its connection, and tells nothing more`, async (t) => {
      const sockets: Socket[] = [];
      const told = await attemptAt(t, {
        upstream: (socket) => {
          sockets.push(socket.resume());
          upstream(socket);
        },
      });
      await until('it has come so far', () => told.events.length === events.length - 1);
      told.attempt.release();
      told.attempt.release();
      assert.deepEqual(told.events, events);
      await until(
        'the connection has ended',
        () => sockets[0]?.closed === true || sockets[0]?.readableEnded === true,
      );
      assert.deepEqual(told.events, events);
    });
  }

  it('before its answer was taken closes its connection', async (t) => {
    const sockets: Socket[] = [];
    const { events, attempt } = await attemptAt(t, {
      isDelivered: false,
      upstream: (socket) => {
        sockets.push(socket);
        saying(`${HEAD}Content-Length: 3\r\n\r\nabc`)(socket);
      },
    });
    await until('it is answered', () => events.includes('answered 200'));
    attempt.release();
    assert.deepEqual(events, ['started', 'answered 200', 'settled']);
    sockets[0]?.resume();
    await until('the connection has ended', () => sockets[0]?.closed === true);
  });

  it('after its end leaves the connection to the next one', async (t) => {
    let connections = 0;
    const { attempt, events, over, pool } = await attemptAt(t, {
      upstream: (socket) => {
        connections++;
        socket.on('data', () => socket.write(`${HEAD}Content-Length: 2\r\n\r\nok`));
      },
    });
    await over();
    attempt.release();
    attempt.resume();
    const { body } = await pool.request({ method: 'GET', path: '/' });
    const text = body.text();
    attempt.release();
    attempt.resume();
    assert.equal(await text, 'ok');
    assert.deepEqual(events, ['started', 'answered 200', 'settled', 'end']);
    assert.equal(connections, 1);
  });

  it('from within its own answer is over', async (t) => {
    const { port } = await startRawUpstream(t, saying(`${HEAD}Content-Length: 3\r\n\r\nabc`));
    const pool = new Pool(`http://127.0.0.1:${port}`);
    t.after(() => pool.destroy());
    const events: string[] = [];
    const attempt = new Attempt(sampleUpstream(), {
      started: () => events.push('started'),
      answered: (answer) => {
        events.push('answered');
        answer.release();
      },
      failed: () => events.push('failed'),
      settled: () => events.push('settled'),
    });
    pool.dispatch({ method: 'GET', path: '/' }, attempt);
    await until('it is over', () => events.includes('settled'));
    await until('nothing is left', () => pool.stats.size === 0);
    assert.deepEqual(events, ['started', 'answered', 'settled']);
  });
});

describe('a switch of protocols', { concurrency: true }, () => {
  const options = { upgrade: 'websocket' };

  it('hands over the connection, with what came along', async (t) => {
    const { answer, events, over } = await attemptAt(t, { upstream: saying(`${SWITCH}first`), options });
    await until('it is answered', () => events.includes('answered 101'));
    const { tunnel, headers } = answer();
    assert.ok(tunnel !== null);
    assert.deepEqual(headers, ['Connection', 'Upgrade', 'Upgrade', 'websocket']);
    assert.equal(`${(await once(tunnel, 'data'))[0]}`, 'first');
    assert.deepEqual(events, ['started', 'answered 101']);
    tunnel.destroy();
    await over();
    assert.deepEqual(events, ['started', 'answered 101', 'settled']);
  });

  for (const [how, act] of [
    ['closes', (socket: Socket) => void socket.end(SWITCH)],
    ['resets', sayingAndResetting(SWITCH)],
  ] as const) {
    it(`is settled when the upstream ${how} at once`, async (t) => {
      const { answer, events, over } = await attemptAt(t, {
        upstream: how === 'resets' ? act : onRequest(act),
        options,
      });
      await until('it is answered', () => events.includes('answered 101'));
      answer().tunnel?.resume();
      await over();
      assert.deepEqual(events, ['started', 'answered 101', 'settled']);
    });
  }

  it('that is let go closes the connection', async (t) => {
    const { attempt, events, over } = await attemptAt(t, { upstream: saying(SWITCH), options });
    await until('it is answered', () => events.includes('answered 101'));
    attempt.release();
    await over();
    assert.ok(attempt.tunnel?.destroyed);
    assert.deepEqual(events, ['started', 'answered 101', 'settled']);
  });

  it('may be declined with an ordinary answer', async (t) => {
    const upstream = saying('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno');
    const { answer, data, events, over } = await attemptAt(t, { upstream, options });
    await over();
    assert.deepEqual(events, ['started', 'answered 403', 'settled', 'end']);
    assert.equal(answer().tunnel, null);
    assert.equal(data(), 'no');
  });
});

describe('any upstream, and any moment to let go', () => {
  const pieces = [
    'HTTP/1.1 ',
    '200 OK',
    '304 X',
    '101 X',
    '103 X',
    '\r\n',
    '\r\n\r\n',
    'Content-Length: 3\r\n',
    'abc',
  ];
  pieces.push(
    'Transfer-Encoding: chunked\r\n',
    '3\r\nabc\r\n',
    '0\r\n\r\n',
    'Connection: Upgrade\r\nUpgrade: x\r\n',
    '\0',
  );
  pieces.push(
    SWITCH,
    `${HEAD}Content-Length: 3\r\n\r\n`,
    `${HEAD}\r\n`,
    `${HEAD}Transfer-Encoding: chunked\r\n\r\n`,
  );
  const scene = fc.record({
    says: fc.array(fc.constantFrom(...pieces), { maxLength: 6 }),
    end: fc.constantFrom('end', 'resetAndDestroy', 'stay'),
    upgrade: fc.constantFrom(null, 'x'),
    isDelivered: fc.boolean(),
    releaseAfterEvents: fc.nat(4),
  });

  it('leave an attempt that was settled once and told of one end at most', async (t) => {
    await fc.assert(
      fc.asyncProperty(scene, async ({ says, end, upgrade, isDelivered, releaseAfterEvents }) => {
        const upstream = onRequest((socket) => {
          socket.write(says.join(''), () => end !== 'stay' && setImmediate(() => socket[end]()));
        });
        const { attempt, events, pool } = await attemptAt(t, { upstream, isDelivered, options: { upgrade } });
        await until('it has come so far', () => events.length >= releaseAfterEvents, 15).catch(() => {});
        attempt.release();
        const told = [...events];
        assert.equal(told.filter((event) => event === 'settled').length, 1, `${told}`);
        assert.ok(told.filter((event) => /^(?:end|fail)/.test(event)).length <= 1, `${told}`);
        await pool.destroy();
        assert.deepEqual(events, told);
      }),
      { seed: 10, numRuns: 150 },
    );
  });
});
