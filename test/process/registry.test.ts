/** The upstreams of a cluster: real instances, a real NATS server. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import {
  change,
  clusterOf,
  joinCluster,
  namesAt,
  untilAllServe,
  upstreamsOf,
} from '#test/support/cluster.ts';
import { NatsServer } from '#test/support/nats.ts';
import { freePort, type Instance, runCommand, startInstance, until } from '#test/support/process.ts';
import { startUpstream, startUpstreams, type TestUpstream } from '#test/support/upstream.ts';
import { layCable } from '../bus/cable.ts';

/** Who answers when an instance is asked so often. */
async function answersOf(instance: Instance, times = 6): Promise<string> {
  const names = new Set<string>();
  for (let index = 0; index < times; index++) names.add(await (await fetch(instance.url)).text());
  return [...names].toSorted().join();
}

/** Rewrites the file of an instance, so that it lists these upstreams. */
async function rewrite({ file }: Instance, upstreams: readonly TestUpstream[]): Promise<void> {
  const config = JSON.parse(await readFile(file, 'utf8'));
  config.load_balancing.upstreams = upstreams.map(({ name, port }) => ({ name, port, address: '127.0.0.1' }));
  await writeFile(file, JSON.stringify(config));
}

const upstreams = (instance: Instance, ...args: string[]) =>
  runCommand(['upstreams', ...args, '--admin', instance.admin]);

describe('a change of the upstreams', () => {
  it('through one instance is served by all of them', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const { url } = await NatsServer.start(t);
    const members = await Promise.all([1, 2, 3].map(() => joinCluster(t, url, [red])));
    const [one, two, three] = members as [Instance, Instance, Instance];

    const added = await upstreams(one, 'add', 'blue', `127.0.0.1:${blue.port}`, '--weight', '2');
    assert.equal(added.code, 0, added.stderr);
    assert.match(added.stdout, /^default\/blue added: 127\.0\.0\.1:\d+, weight 2, ready \(revision \d+\)$/m);
    await untilAllServe(members, 'blue,red');
    const { instances, revision } = await clusterOf(three);
    assert.deepEqual([instances.length, instances.some((it) => it.revision > revision)], [3, false]);
    for (const member of members) assert.equal(await answersOf(member), 'blue,red');

    await upstreams(two, 'drain', 'red', '--deadline-ms', '60000');
    await until('all have drained red', async () => {
      const states = await Promise.all(members.map(async (it) => (await upstreamsOf(it))[0]?.state));
      return states.every((state) => state === 'drain');
    });
    await until('red is asked no more', async () => (await answersOf(one)) === 'blue');
    assert.match((await upstreams(three, 'ready', 'red')).stdout, /default\/red changed: .*, ready/);
    await upstreams(three, 'weight', 'blue', '9');
    await upstreams(three, 'remove', 'red');
    await untilAllServe(members, 'blue');
    await until('red is gone', async () => (await answersOf(two)) === 'blue');
    assert.equal((await upstreamsOf(one))[0]?.weight, 9);
  });

  it('conflicts with another one: one wins, the other gets what there is now', async (t) => {
    const { url } = await NatsServer.start(t);
    const upstream = { name: 'red', port: await freePort() };
    const [one, two] = await Promise.all([joinCluster(t, url, [upstream]), joinCluster(t, url, [upstream])]);
    await untilAllServe([one, two], 'red');
    const [red] = await upstreamsOf(one);
    const headers = { 'If-Match': `"${red?.revision}"` };
    const answers = await Promise.all([
      change(one, 'PATCH', '/api/upstreams/red', { weight: 11 }, headers),
      change(two, 'PATCH', '/api/upstreams/red', { weight: 22 }, headers),
    ]);
    assert.deepEqual(answers.map(({ status }) => status).toSorted(), [200, 409]);
    const [won = '', lost = ''] = await Promise.all(
      answers.toSorted((a, b) => a.status - b.status).map((answer) => answer.text()),
    );
    // Opinions are those that each has heard of by then.
    const record = ({ opinions, ...same }: { opinions: unknown }) => same;
    assert.deepEqual(record(JSON.parse(lost).current), record(JSON.parse(won).upstream));
  });

  it('leaves a pool without upstreams when it takes the last one, and it stays so', async (t) => {
    const { url } = await NatsServer.start(t);
    const [red] = await startUpstreams(t, ['red']);
    assert.ok(red !== undefined);
    const one = await joinCluster(t, url, [red]);
    await upstreams(one, 'remove', 'red');
    await until('nobody is asked', async () => (await fetch(one.url)).status === 503);
    const two = await joinCluster(t, url, [red]);
    assert.equal(await namesAt(two), '');
    assert.equal((await fetch(two.url)).status, 503);
  });

  it('is possible without a bus', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const one = await startInstance(t, [red]);
    assert.equal((await upstreams(one, 'add', 'blue', `127.0.0.1:${blue.port}`)).code, 0);
    await until('both are asked', async () => (await answersOf(one)) === 'blue,red');
    const { bus, instances } = await clusterOf(one);
    assert.deepEqual([bus, instances.length], ['none', 1]);
  });

  it('is refused with what is wrong', async (t) => {
    const one = await startInstance(t, [{ name: 'red', port: await freePort() }]);
    const bad = await upstreams(one, 'add', 'blue', '127.0.0.1:1', '--weight', '0');
    assert.deepEqual(
      [bad.code, bad.stderr],
      [69, 'signalbox: weight: found 0, expected a whole number from 1 to 256\n'],
    );
    const missing = await upstreams(one, 'drain', 'blue');
    assert.deepEqual([missing.code, missing.stderr], [69, 'signalbox: there is no upstream default/blue\n']);
  });
});

describe('another configuration file', () => {
  it('changes nothing at a start, which says so; `apply` and SIGHUP do', async (t) => {
    const all = await startUpstreams(t, ['red', 'blue', 'green']);
    const [red, blue, green] = all as [TestUpstream, TestUpstream, TestUpstream];
    const { url } = await NatsServer.start(t);
    const one = await joinCluster(t, url, [red]);
    const two = await joinCluster(t, url, [blue]);
    await untilAllServe([one, two], 'red');
    const warning = /other upstreams than .*`signalbox apply --config .*proxy\.yaml`/;
    await until('it says so', () => warning.test(two.output));

    const applied = await runCommand(['apply', '--config', two.file]);
    assert.deepEqual([applied.code, applied.stderr], [0, '']);
    assert.match(
      applied.stdout,
      /^default\/blue added\ndefault\/red removed\nthe registry is as the file says/,
    );
    await untilAllServe([one, two], 'blue');

    await rewrite(one, [blue, green]);
    one.child.kill('SIGHUP');
    await untilAllServe([one, two], 'blue,green');
    await until('it says so', () => /"added":1,"changed":0,"removed":0.*is in effect/.test(one.output));
  });

  it('that cannot be used is refused with its mistakes, and what was served is served on', async (t) => {
    const [red] = await startUpstreams(t, ['red']);
    assert.ok(red !== undefined);
    const one = await startInstance(t, [red]);
    await writeFile(one.file, 'server:\n  listen_prt: 1\n');
    one.child.kill('SIGHUP');
    await until('it says so', () => one.output.includes('cannot be used'));
    assert.match(one.output, /proxy\.yaml:2:3: server: unknown key `listen_prt`/);
    assert.equal(await answersOf(one), 'red');
  });
});

describe('a registry that NATS has lost', () => {
  it('is made again of what the instances serve, not of their files', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const nats = await NatsServer.start(t);
    const members = await Promise.all([1, 2, 3].map(() => joinCluster(t, nats.url, [red])));
    const [one, two] = members as [Instance, Instance, Instance];
    await upstreams(one, 'add', 'blue', `127.0.0.1:${blue.port}`, '--weight', '7');
    await upstreams(one, 'remove', 'red');
    await untilAllServe(members, 'blue');
    await nats.restartEmpty();
    const four = await joinCluster(t, nats.url, [red]);
    await untilAllServe([...members, four], 'blue');
    await until(
      'it can be changed again',
      async () => (await upstreams(two, 'weight', 'blue', '8')).code === 0,
    );
    assert.equal((await upstreamsOf(two))[0]?.weight, 8);
  });
});

describe('a registry that NATS has lost while an instance was cut off', () => {
  /** One serves blue and is cut off; the registry is lost; two comes with red in its file. */
  async function cutOff(t: TestContext) {
    const [red, blue] = await Promise.all([startUpstream(t, 'red'), startUpstream(t, 'blue')]);
    const nats = await NatsServer.start(t);
    const cable = await layCable(t, nats.port);
    const one = await joinCluster(t, cable.url, [blue]);
    await untilAllServe([one], 'blue');
    cable.cut();
    await nats.restartEmpty();
    const two = await joinCluster(t, nats.url, [red]);
    await untilAllServe([two], 'red');
    return { one, two, cable };
  }

  it('has what that one knows when it comes back, not what a file said meanwhile', async (t) => {
    const { one, two, cable } = await cutOff(t);
    cable.mend();
    await untilAllServe([one, two], 'blue');
  });

  it('has what people have said meanwhile', async (t) => {
    const { one, two, cable } = await cutOff(t);
    await upstreams(two, 'weight', 'red', '3');
    cable.mend();
    await untilAllServe([one, two], 'red');
    const warning = /"removed":\["default\/blue"\],"msg":"registry: it was lost, and is another one now"/;
    await until('it says so', () => warning.test(one.output));
  });
});

describe('a bus that is not there', () => {
  it('at the start lets the instance serve from its file until it comes', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const port = await freePort();
    const url = `nats://127.0.0.1:${port}`;
    const one = await joinCluster(t, url, [red]);
    assert.match(
      one.output,
      /registry: not reachable; until it is, the upstreams of .*proxy\.yaml are served/,
    );
    assert.equal(await answersOf(one), 'red');
    const refused = await change(one, 'POST', '/api/upstreams', {
      name: 'blue',
      address: '127.0.0.1',
      port: 1,
    });
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
    assert.match(await refused.text(), /this instance cannot change the registry at the moment/);
    assert.equal((await clusterOf(one)).bus, 'isolated');

    await NatsServer.start(t, '', port);
    const two = await joinCluster(t, url, [blue]);
    await until('both are synced', async () => {
      const views = await Promise.all([one, two].map(clusterOf));
      return views.every(({ bus, revision }) => bus === 'synced' && revision > 0);
    });
    const names = await namesAt(two);
    await untilAllServe([one, two], names);
    await until('it is served', async () => (await answersOf(one)) === names);
  });

  it('later costs no request, and every change is known when it is back', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const nats = await NatsServer.start(t);
    const [one, two] = await Promise.all([joinCluster(t, nats.url, [red]), joinCluster(t, nats.url, [red])]);
    await untilAllServe([one, two], 'red');
    await nats.stop('SIGKILL');
    await until('it is isolated', async () => (await clusterOf(one)).bus === 'isolated');
    assert.equal(await answersOf(one, 20), 'red');
    assert.equal((await upstreams(one, 'remove', 'red')).code, 69);
    await nats.restart();
    await until('it is synced', async () => (await clusterOf(one)).bus === 'synced');
    await upstreams(one, 'add', 'blue', `127.0.0.1:${blue.port}`);
    await untilAllServe([one, two], 'blue,red');
  });
});
