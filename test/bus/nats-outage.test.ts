/** What may happen between a bus and its server. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { describe, it } from 'node:test';
import { connect } from 'nats';
import { type Bus, MESSAGE_BYTES_MAX, PENDING_BYTES_MAX } from '#bus/contract.ts';
import { NatsServer } from '#test/support/nats.ts';
import { freePort, until } from '#test/support/process.ts';
import { layCable } from './cable.ts';
import { settle, view } from './contract.ts';
import { joinCluster, startMember } from './members.ts';

const LASTING = { entryMsMax: null, bytesMax: 4 * 1024 * 1024 };
const bytes = (text: string) => new TextEncoder().encode(text);
const deadline = () => AbortSignal.timeout(10_000);

function isSynced(bus: Bus): () => boolean {
  return () => bus.state === 'synced';
}

function isIsolated(bus: Bus): () => boolean {
  return () => bus.state === 'isolated';
}

describe('a NATS bus and its server', { concurrency: true }, () => {
  it('starts isolated, drops what is published, and connects when the server comes', async (t) => {
    const port = await freePort();
    const { bus } = startMember(t, { url: `nats://127.0.0.1:${port}` });
    const states: string[] = [];
    bus.onState((state) => states.push(state));
    assert.equal(bus.state, 'connecting');
    const { told } = view(bus.bucket('things', LASTING));
    assert.equal(bus.publish('news', bytes('too early')), 'isolated');
    await until('it knows', isIsolated(bus));
    await assert.rejects(bus.bucket('things', LASTING).get('red', deadline()), {
      code: 'bus_isolated',
      message: /connection refused/,
    });
    await assert.rejects(bus.request('news', bytes(''), 1_000, deadline()), { code: 'bus_isolated' });
    await NatsServer.start(t, '', port);
    await until('it is connected', isSynced(bus));
    assert.deepEqual([told, states, bus.counts.dropped.isolated], [['content'], ['isolated', 'synced'], 1]);
  });

  it('finds the one of its servers that is there', async (t) => {
    const server = await NatsServer.start(t);
    const gone = await freePort();
    await joinCluster(t, { url: `nats://127.0.0.1:${gone},${server.url}` });
  });

  it('comes back after the server was killed, with listeners and watches', async (t) => {
    const server = await NatsServer.start(t);
    const { bus } = await joinCluster(t, { url: server.url });
    const bucket = bus.bucket('things', LASTING);
    await bucket.put('red', bytes('1'), deadline());
    const { told, watch } = view(bucket);
    const heard: string[] = [];
    bus.subscribe('news', ({ subject }) => heard.push(subject));
    await until('the content is told', () => told.length === 1);
    bus.respond('silent', () => new Promise(() => {}));
    await settle(bus);
    const asking = assert.rejects(bus.request('silent', bytes(''), 9_000, deadline()), {
      code: 'bus_isolated',
    });
    await server.stop('SIGKILL');
    await until('it is isolated', isIsolated(bus));
    await asking;
    await server.restart();
    await until('it is synced', isSynced(bus));
    assert.deepEqual(told, ['content red=1', 'content red=1']);
    const revision = await bucket.put('red', bytes('2'), deadline());
    bus.publish('news', bytes(''));
    await until('all is told', () => watch.revision === revision && heard.length === 1);
    assert.deepEqual([bus.counts.connections, bus.counts.rereads], [2, 1]);
  });

  it('misses nothing that others wrote while it was cut off', async (t) => {
    const server = await NatsServer.start(t);
    const cable = await layCable(t, server.port);
    const [near, far] = [await joinCluster(t, { url: server.url }), await joinCluster(t, { url: cable.url })];
    const bucket = near.bus.bucket('things', LASTING);
    for (const key of ['red', 'blue']) await bucket.put(key, bytes('1'), deadline());
    const { told, watch } = view(far.bus.bucket('things', LASTING));
    await until('the content is told', () => told.length === 1);
    cable.cut();
    await until('it is isolated', isIsolated(far.bus));
    const ageMs = watch.ageMs;
    await bucket.put('green', bytes('1'), deadline());
    await bucket.delete('red', null, deadline());
    await until('the age of its watch grows', () => watch.ageMs > ageMs);
    cable.mend();
    await until('it is synced', isSynced(far.bus));
    assert.deepEqual(told, ['content red=1 blue=1', 'content blue=1 green=1']);
  });

  it('makes its buckets anew on a server that has lost everything', async (t) => {
    const server = await NatsServer.start(t);
    const { bus } = await joinCluster(t, { url: server.url });
    const bucket = bus.bucket('things', LASTING);
    for (const key of ['red', 'blue']) await bucket.put(key, bytes('1'), deadline());
    const epochs: string[] = [];
    bucket.watch((event) => {
      if (event.type === 'content') epochs.push(event.epoch);
    });
    const { told, watch } = view(bucket);
    await until('the contents are told', () => told.length + epochs.length === 2);
    await server.restartEmpty();
    await until('the contents are told again', () => told.length + epochs.length === 4);
    assert.deepEqual(told, ['content red=1 blue=1', 'content']);
    assert.notEqual(epochs[0], epochs[1]);
    const revision = await bucket.create('red', bytes('2'), deadline());
    await until('the change is told', () => watch.revision === revision);
    assert.equal(told.at(-1), 'red=2');
  });

  it('notices that a bucket was deleted under its watch', async (t) => {
    const server = await NatsServer.start(t);
    const { bus } = await joinCluster(t, { url: server.url });
    const bucket = bus.bucket('things', LASTING);
    await bucket.put('red', bytes('1'), deadline());
    const { told, watch } = view(bucket);
    await until('the content is told', () => told.length === 1);
    const operator = await connect({ servers: server.url });
    t.after(() => operator.close());
    await operator.request('$JS.API.STREAM.DELETE.KV_signalbox_test_things');
    await until('the content is told again', () => told.length === 2);
    const revision = await bucket.put('blue', bytes('1'), deadline());
    await until('the change is told', () => watch.revision === revision);
    assert.deepEqual(told, ['content red=1', 'content', 'blue=1']);
    await until('it is synced', isSynced(bus));
  });

  it('notices that the server has stopped, however much was published, and that it goes on', async (t) => {
    const server = await NatsServer.start(t);
    const { bus } = await joinCluster(t, { url: server.url });
    const bucket = bus.bucket('things', LASTING);
    await bucket.put('red', bytes('1'), deadline());
    const { told } = view(bucket);
    await until('the content is told', () => told.length === 1);
    server.pause();
    const large = new Uint8Array(MESSAGE_BYTES_MAX);
    const sent = Array.from({ length: 100 }, () => bus.publish('news', large)).filter((it) => it === 'sent');
    assert.ok(sent.length * MESSAGE_BYTES_MAX <= PENDING_BYTES_MAX);
    const reading = assert.rejects(bucket.get('red', deadline()), { code: 'bus_isolated' });
    const asking = assert.rejects(bus.request('news', bytes(''), 9_000, deadline()), {
      code: 'bus_isolated',
    });
    await until('it is isolated', isIsolated(bus), 5_000);
    await Promise.all([reading, asking]);
    assert.equal(bus.publish('news', large), 'isolated');
    server.resume();
    await until('it is synced', isSynced(bus));
    assert.deepEqual(told, ['content red=1', 'content red=1']);
  });

  it('has messages, but is never synced, on a server without JetStream', async (t) => {
    const server = await NatsServer.start(t, 'jetstream: disabled');
    const { bus, lines } = startMember(t, { url: server.url });
    bus.bucket('things', LASTING).watch(() => {});
    bus.respond('greet', ({ data }) => data);
    await until('it is connected', () => bus.counts.connections === 1);
    await bus.request('greet', bytes(''), 5_000, deadline());
    await until('it says why', () => lines.some((line) => line.includes('jetstream is not enabled')));
    assert.equal(bus.state, 'isolated');
    await assert.rejects(bus.bucket('things', LASTING).get('red', deadline()), {
      code: 'bus_failed',
      message: /--jetstream/,
    });
  });

  it('keeps no connection to a server that accepts it and says nothing', async (t) => {
    const silent = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
    t.after(() => silent.close());
    await once(silent, 'listening');
    let attempts = 0;
    silent.on('connection', () => attempts++);
    const { bus } = startMember(t, {
      url: `nats://127.0.0.1:${(silent.address() as { port: number }).port}`,
    });
    await until('it has tried twice', () => attempts === 2);
    assert.equal(await connectionsOf(silent), 1);
    const startMs = performance.now();
    await bus[Symbol.asyncDispose]();
    assert.ok(performance.now() - startMs < 500);
    await until('the last one is closed', async () => (await connectionsOf(silent)) === 0);
  });
});

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}
