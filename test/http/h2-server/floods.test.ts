import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { PINGS, RESETS, SETTINGS } from '#http/h2-server/bounds.ts';
import { until } from '#test/support/process.ts';
import { ERROR, encode, FLAG, FRAME, frameOf, get, post } from '#test/support/raw-h2-client.ts';
import { FIELDS_MAX, STREAMS_MAX, serve } from './scene.ts';

const idOf = (index: number) => 1 + 2 * index;
const CANCEL = Buffer.of(0, 0, 0, ERROR.cancel);
const resetOf = (index: number) => frameOf(FRAME.reset, 0, idOf(index), CANCEL);

/** A client that has been told what holds here, and the frames that it hears after it has sent some at once. */
async function scene(t: TestContext) {
  const server = await serve(t);
  const client = server.raw();
  await client.hears(FRAME.settings);
  const flood = (count: number, make: (index: number) => Buffer) => {
    client.socket.write(Buffer.concat(Array.from({ length: count }, (_, index) => make(index))));
  };
  return { ...server, client, flood };
}

describe('a flood', () => {
  it('of requests that are given up at once ends the connection (rapid reset)', async (t) => {
    const { client, flood } = await scene(t);
    const ask = frameOf.bind(null, FRAME.headers, FLAG.endHeaders | FLAG.endStream);
    const round = (first: number, count: number) =>
      flood(count, (index) =>
        Buffer.concat([ask(idOf(first + index), encode(get())), resetOf(first + index)]),
      );
    // As many as may be under way at a time, so that it is nothing else that is too much.
    for (let begun = 0; begun < RESETS.burst; begun += STREAMS_MAX) {
      round(begun, STREAMS_MAX);
      client.send(FRAME.ping, 0, 0, Buffer.alloc(8));
      await until('they are dealt with', () => client.heard(FRAME.ping).length > begun / STREAMS_MAX);
    }
    assert.equal(client.heard(FRAME.goaway).length, 0);
    round(RESETS.burst, 1);
    assert.equal(await client.goneWith(), ERROR.calm);
  });

  it('of requests that are given up all at once ends it, too', async (t) => {
    const { client, flood } = await scene(t);
    const ask = frameOf.bind(null, FRAME.headers, FLAG.endHeaders | FLAG.endStream);
    flood(2000, (index) => Buffer.concat([ask(idOf(index), encode(get())), resetOf(index)]));
    await client.goneWith();
  });

  it('of HEAD requests that are given up is one, too', async (t) => {
    const { client, arrived, arrivals, outcomes } = await scene(t);
    const head = encode([':method', 'HEAD', ...get().slice(2)]);
    for (let index = 0; index <= RESETS.burst; index++) {
      client.send(FRAME.headers, FLAG.endHeaders | FLAG.endStream, idOf(index), head);
      await arrived(index + 1);
      client.send(FRAME.reset, 0, idOf(index), Buffer.of(0, 0, 0, 0));
      await until('it is given up', () => outcomes.length === index + 1);
    }
    assert.equal(await client.goneWith(), ERROR.calm);
    assert.equal(arrivals.length, RESETS.burst + 1);
  });

  it('of requests that we are made to reset is one, too', async (t) => {
    const { client, flood } = await scene(t);
    // A window that is opened by nothing is an error of the stream.
    const ask = (index: number) => frameOf(FRAME.headers, FLAG.endHeaders, idOf(index), encode(post()));
    const provoke = (index: number) => frameOf(FRAME.windowUpdate, 0, idOf(index), Buffer.alloc(4));
    flood(RESETS.burst + 50, (index) => Buffer.concat([ask(index), provoke(index)]));
    await client.goneWith();
  });

  it('of pings ends the connection', async (t) => {
    const { client, flood } = await scene(t);
    flood(PINGS.burst, () => frameOf(FRAME.ping, 0, 0, Buffer.alloc(8)));
    await until('all are answered', () => client.heard(FRAME.ping).length === PINGS.burst);
    flood(1, () => frameOf(FRAME.ping, 0, 0, Buffer.alloc(8)));
    assert.equal(await client.goneWith(), ERROR.calm);
  });

  it('of settings ends the connection', async (t) => {
    const { client, flood } = await scene(t);
    flood(SETTINGS.burst, () => frameOf(FRAME.settings, 0, 0, ''));
    assert.equal(await client.goneWith(), ERROR.calm);
  });

  it('of settings in one frame ends the connection', async (t) => {
    const { client } = await scene(t);
    client.send(FRAME.settings, 0, 0, Buffer.concat(Array(33).fill(Buffer.of(0, 1, 0, 0, 16, 0))));
    assert.notEqual(await client.goneWith(), 0);
  });

  it('of empty DATA frames ends the connection', async (t) => {
    const { client, flood, arrived } = await scene(t);
    client.send(FRAME.headers, FLAG.endHeaders, 1, encode(post()));
    const { body } = await arrived();
    body?.resume();
    flood(200, () => frameOf(FRAME.data, 0, 1, ''));
    await client.goneWith();
  });

  for (const [what, fields] of [
    ['with something in them', ['x-a', 'v']],
    ['without anything in them', []],
  ] as const) {
    it(`of CONTINUATION frames ${what} ends the connection`, async (t) => {
      const { client, flood, arrivals } = await scene(t);
      client.send(FRAME.headers, FLAG.endStream, 1, encode(get()));
      flood(50, () => frameOf(FRAME.continuation, 0, 1, encode(fields)));
      assert.notEqual(await client.goneWith(), 0);
      assert.deepEqual(arrivals, []);
    });
  }

  it('of headers is answered with 431 while that can be told, and reset beyond', async (t) => {
    const { client, arrived, arrivals } = await scene(t);
    const many = (count: number) => Array.from({ length: count }, (_, index) => [`x-${index}`, 'v']).flat();
    client.ask(1, get('/', ...many(FIELDS_MAX + 1)));
    assert.equal((await arrived()).fault, 'head_too_large');
    client.ask(3, get('/', ...many(2 * FIELDS_MAX + 1)));
    assert.equal(await client.reset(3), ERROR.calm);
    assert.equal(arrivals.length, 1);
  });

  it('of requests beyond those that may be under way ends the connection', async (t) => {
    const { client, flood } = await scene(t);
    const ask = (index: number) => frameOf(FRAME.headers, FLAG.endHeaders, idOf(index), encode(post()));
    flood(STREAMS_MAX + 150, ask);
    await client.goneWith();
  });

  it('of malformed requests ends the connection', async (t) => {
    const { client, flood } = await scene(t);
    const bad = encode(get('/', 'X-A', '1'));
    flood(RESETS.burst * 3, (index) =>
      frameOf(FRAME.headers, FLAG.endHeaders | FLAG.endStream, idOf(index), bad),
    );
    await client.goneWith();
  });
});
