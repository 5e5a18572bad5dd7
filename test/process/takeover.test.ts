import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everywhere, post, scene, tokensOf, USER } from '#test/support/accounts.ts';
import { clusterOf } from '#test/support/cluster.ts';
import { runCommand, startInstance, until } from '#test/support/process.ts';
import { SteadyLoad } from '#test/support/steady-load.ts';
import { startBeside } from '#test/support/takeover.ts';
import { startUpstream, startUpstreams } from '#test/support/upstream.ts';

describe('an instance that takes over from another', () => {
  it('again and again under load lets no request be refused or cut', async (t) => {
    // Connections that came while the port closed were taken for idle ones, and ended unanswered.
    // A busy machine is no reason to turn anybody away here.
    const server = { workers: 2, overload: { lag_ms: 0 } };
    let instance = await startInstance(t, await startUpstreams(t, ['red', 'blue']), { server });
    const load = new SteadyLoad({ port: instance.port, rate: 300, fresh: 0.2, connections: 16 });
    for (let restart = 0; restart < 3; restart++) {
      const next = await startBeside(t, instance);
      assert.equal(await instance.stop(), 0);
      instance = next;
    }
    const { sent, served } = await load.stop();
    assert.deepEqual(load.troubles, []);
    assert.equal(served, sent);
    assert.ok(sent > 300, `only ${sent} requests were made`);
  });

  it('leaves to the other what that one has begun, and its admin listener until it has ended', async (t) => {
    let finish = () => {};
    const upstream = await startUpstream(t, 'slow', (request, response) => {
      if (request.url !== '/slow') return void response.end('quick');
      response.write('begun, ');
      finish = () => response.end('and ended');
    });
    const old = await startInstance(t, [upstream]);
    const { instance: oldId } = await clusterOf(old);
    const stream = await fetch(`${old.url}/slow`);
    const next = await startBeside(t, old);
    assert.equal((await clusterOf(next)).instance, oldId);

    const ended = old.stop();
    await until('the old one drains', () => old.output.includes('draining'));
    assert.equal(await (await fetch(next.url)).text(), 'quick');
    finish();
    assert.equal(await stream.text(), 'begun, and ended');
    assert.equal(await ended, 0);
    await until('the new one is ready', () => next.isReady());
    assert.notEqual((await clusterOf(next)).instance, oldId);
    assert.match(next.output, /admin listener: another instance has it.*admin listener: taken over/s);
  });

  it('knows the accounts and the tokens of the other', async (t) => {
    const old = await scene(t);
    const tokens = await tokensOf(await post(old, 'register', USER));
    const next = await startBeside(t, old);
    assert.deepEqual(await everywhere(next, tokens.access_token), { 200: 20 });
    assert.equal(await old.stop(), 0);
    assert.deepEqual(await everywhere(next, tokens.access_token), { 200: 20 });
    assert.equal((await post(next, 'login', USER)).status, 200);
  });

  it('has to be told to: without a word, a second start is refused', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    const { code, stderr } = await runCommand(['start', '--config', instance.file]);
    assert.equal(code, 69);
    assert.match(stderr, /proxy listener .* is taken by another process/);
  });
});
