/** Whom a bus meets on its server: the server's guard, other clusters, clients of another kind. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { connect, nkeys } from 'nats';
import { MESSAGE_BYTES_MAX } from '#bus/contract.ts';
import { NatsServer } from '#test/support/nats.ts';
import { ROOT, until } from '#test/support/process.ts';
import { settle, view } from './contract.ts';
import { joinCluster, startMember } from './members.ts';

const LASTING = { entryMsMax: null, bytesMax: 4 * 1024 * 1024 };
const bytes = (text: string) => new TextEncoder().encode(text);
const deadline = () => AbortSignal.timeout(5_000);

/** A client that is none of ours, and may do everything. */
async function stranger(t: TestContext, servers: string) {
  const connection = await connect({ servers });
  t.after(() => connection.close());
  return connection;
}

describe('a NATS server that asks who it is', { concurrency: true }, () => {
  const PASSWORD = 'authorization { user: ann, password: "s:3cr@t" }';

  it('gets the user and password of the URL', async (t) => {
    const { port } = await NatsServer.start(t, PASSWORD);
    await joinCluster(t, { url: `nats://ann:s%3A3cr%40t@127.0.0.1:${port}` });
  });

  it('gets the token of the URL', async (t) => {
    const { port } = await NatsServer.start(t, 'authorization { token: "a-token" }');
    await joinCluster(t, { url: `nats://a-token@127.0.0.1:${port}` });
  });

  it('gets the credentials of the file', async (t) => {
    const user = nkeys.createUser();
    const { url, folder } = await NatsServer.start(
      t,
      `authorization { users: [ { nkey: ${user.getPublicKey()} } ] }`,
    );
    const file = join(folder, 'user.creds');
    const seed = new TextDecoder().decode(user.getSeed());
    await writeFile(
      file,
      `-----BEGIN NATS USER JWT-----\na.b.c\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`,
    );
    await joinCluster(t, { url, auth: { kind: 'creds', file } });
  });

  it('turns it away, which it says without the password, and lets it in later', async (t) => {
    const server = await NatsServer.start(t, PASSWORD);
    const auth = { kind: 'password', user: 'ann', password: 'wr0ng' } as const;
    const { bus, lines } = startMember(t, { url: server.url, auth });
    await until('it says so', () => lines.some((line) => line.includes('Authorization Violation')));
    assert.equal(bus.state, 'isolated');
    assert.doesNotMatch(lines.join(), /wr0ng/);
    const config = join(server.folder, 'nats.conf');
    await writeFile(config, (await readFile(config, 'utf8')).replace('s:3cr@t', 'wr0ng'));
    await server.restart();
    await until('it is let in', () => bus.state === 'synced');
  });

  it('is itself asked for a certificate of the right authority', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox-tls-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const [keyFile, certFile] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const kind = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ];
    const name = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    execFileSync('openssl', ['req', ...kind, ...name, '-keyout', keyFile, '-out', certFile], {
      stdio: 'ignore',
    });
    const { port } = await NatsServer.start(
      t,
      `tls { cert_file: "${certFile}", key_file: "${keyFile}", ca_file: "${certFile}", verify: true }`,
    );
    for (const host of ['localhost', '127.0.0.1']) {
      await joinCluster(t, { url: `tls://${host}:${port}`, tls: { caFile: certFile, certFile, keyFile } });
    }
    const { lines } = startMember(t, { url: `tls://localhost:${port}` });
    await until('another one is not believed', () => lines.some((line) => line.includes('certificate')));
  });

  it('grants what the documentation asks for, and no more is needed', async (t) => {
    const { url } = await NatsServer.start(
      t,
      await documentedPermissions('signalbox.test', ['things', 'settled']),
    );
    const [{ bus: first, lines }, { bus: second }] = [
      await joinCluster(t, { url }),
      await joinCluster(t, { url }),
    ];
    const heard: string[] = [];
    second.subscribe('news.>', ({ subject }) => heard.push(subject));
    second.respond('greet', ({ data }) => data);
    await settle(second);
    first.publish('news.today', bytes(''));
    const greeting = await first.request('greet', bytes('hello'), 2_000, deadline());
    assert.equal(new TextDecoder().decode(greeting), 'hello');
    const bucket = first.bucket('things', LASTING);
    const revision = await bucket.create('red', bytes('1'), deadline());
    const { told, watch, content } = view(second.bucket('things', LASTING));
    await until('the content is told', () => told.length === 1);
    await bucket.update('red', bytes('2'), revision, deadline());
    await bucket.delete('red', null, deadline());
    // Enough for the server to ask whether the watch keeps up.
    const value = new Uint8Array(MESSAGE_BYTES_MAX);
    for (let count = 0; count < 12; count++) await bucket.put(`blue-${count}`, value, deadline());
    assert.equal((await bucket.entries(deadline())).length, 12);
    assert.deepEqual((await bucket.get('blue-1', deadline()))?.value, value);
    await until('all is told', () => heard.length === 1 && content.size === 12);
    watch[Symbol.dispose]();
    await settle(second);
    assert.deepEqual(
      lines.filter((line) => line.includes('denies')),
      [],
    );
  });

  it('denies what it must not do, which fails and is said', async (t) => {
    const { url } = await NatsServer.start(t, await documentedPermissions('signalbox.test', ['settled']));
    const { bus, lines } = await joinCluster(t, { url });
    await assert.rejects(bus.bucket('things', LASTING).get('red', deadline()), { code: 'bus_denied' });
    assert.ok(lines.some((line) => line.includes('STREAM.INFO.KV_signalbox_test_things')));
  });
});

/** A server's configuration with exactly the permissions that the ADR lists. */
async function documentedPermissions(prefix: string, buckets: readonly string[]): Promise<string> {
  const page = await readFile(join(ROOT, 'docs', 'decisions', '010-bus.md'), 'utf8');
  const [, publish = '', subscribe = ''] = /```\npublish\n(.*?)\nsubscribe\n(.*?)\n```/s.exec(page) ?? [];
  const subjects = (lines: string) =>
    lines
      .split('\n')
      .map((line) => line.trim().replaceAll('<prefix>', prefix))
      .flatMap((line) =>
        line.includes('<bucket>')
          ? buckets.map((name) => line.replaceAll('<bucket>', `${prefix.replaceAll('.', '_')}_${name}`))
          : [line],
      )
      .map((subject) => JSON.stringify(subject))
      .join(', ');
  return `
    no_auth_user: signalbox
    authorization { users: [ { user: signalbox, password: x, permissions: {
      publish: { allow: [ ${subjects(publish)} ] }, subscribe: { allow: [ ${subjects(subscribe)} ] }
    } } ] }`;
}

describe('strangers on the same NATS server', { concurrency: true }, () => {
  it('are not heard by another cluster, nor do they share its buckets', async (t) => {
    const { url } = await NatsServer.start(t);
    const one = await joinCluster(t, { url, prefix: 'signalbox.one' });
    const two = await joinCluster(t, { url, prefix: 'signalbox.two' });
    const heard: string[] = [];
    for (const { bus } of [one, two])
      bus.subscribe('>', ({ data }) => heard.push(new TextDecoder().decode(data)));
    await Promise.all([settle(one.bus), settle(two.bus)]);
    one.bus.publish('news', bytes('of one'));
    two.bus.publish('news', bytes('of two'));
    await assert.rejects(one.bus.request('nobody.but.two', bytes('asks one'), 300, deadline()));
    await one.bus.bucket('things', LASTING).put('red', bytes('1'), deadline());
    assert.equal(await two.bus.bucket('things', LASTING).get('red', deadline()), null);
    await until('both are heard', () => heard.length >= 3);
    assert.deepEqual(heard.toSorted(), ['asks one', 'of one', 'of two']);
  });

  it('may send what they like', async (t) => {
    const { url } = await NatsServer.start(t);
    const { bus } = await joinCluster(t, { url });
    const bucket = bus.bucket('things', LASTING);
    await bucket.put('red', bytes('1'), deadline());
    const heard: number[] = [];
    bus.subscribe('>', ({ data }) => heard.push(data.length));
    bus.respond('greet', ({ data }) => data);
    const { told, watch } = view(bucket);
    await until('the content is told', () => told.length === 1);
    await settle(bus);

    const other = await stranger(t, url);
    const large = new Uint8Array(MESSAGE_BYTES_MAX + 1);
    // A subject that no instance would use, too much, and nothing at all.
    other.publish('signalbox.test.message.über/$', new Uint8Array([0xff, 0x00]));
    other.publish('signalbox.test.message.news', large);
    other.publish('signalbox.test.message.news');
    await assert.rejects(other.request('signalbox.test.message.greet', large, { timeout: 300 }));
    // Keys and values that no instance would write.
    await other.request('$KV.signalbox_test_things.no~key', new Uint8Array(1));
    await other.request('$KV.signalbox_test_things.blue', large);
    const revision = await bucket.put('red', bytes('2'), deadline());
    await until('the change is told', () => watch.revision === revision);
    // What is too large was once told of as deleted, and took from all instances what it stood for.
    assert.deepEqual(told, ['content red=1', 'blue=', 'red=2']);
    assert.equal((await bucket.get('blue', deadline()))?.value.length, 0);
    assert.deepEqual(
      (await bucket.entries(deadline())).map(({ key, value }) => `${key} ${value.length}`),
      ['blue 0', 'red 1'],
    );
    await until('what can be heard is heard', () => heard.length === 2);
    assert.deepEqual(heard, [2, 0]);
    assert.equal(bus.state, 'synced');
  });

  it('may talk into a watch, which only makes it read again', async (t) => {
    const { url } = await NatsServer.start(t);
    const { bus } = await joinCluster(t, { url });
    const { told, watch } = view(bus.bucket('things', LASTING));
    await until('the content is told', () => told.length === 1);
    const other = await stranger(t, url);
    const consumers = await other.request('$JS.API.CONSUMER.NAMES.KV_signalbox_test_things');
    const [name] = consumers.json<{ consumers: string[] }>().consumers;
    for (const text of ['garbage', '', '{}']) other.publish(`signalbox.test.watch.${name}`, text);
    other.publish(`signalbox.test.watch.${name}`, 'garbage', { reply: '$JS.ACK.no.such.thing' });
    await other.flush();
    const revision = await bus.bucket('things', LASTING).put('red', bytes('1'), deadline());
    await until('the change is told', () => watch.revision === revision);
    assert.equal(bus.state, 'synced');
  });
});
