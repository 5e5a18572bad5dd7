import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ask } from '#test/support/load.ts';
import { type Instance, runCommand, startInstance, until } from '#test/support/process.ts';
import { startUpstream, startUpstreams } from '#test/support/upstream.ts';

type Summary = { id: string; status: number; outcome: string; attempts: number; target: string };

async function requests(instance: Instance, query = ''): Promise<Summary[]> {
  const response = await fetch(`${instance.admin}/api/requests${query}`);
  return ((await response.json()) as { requests: Summary[] }).requests;
}

function explain(instance: Instance, id: string) {
  return runCommand(['explain', id, '--admin', instance.admin]);
}

describe('signalbox explain', () => {
  it('tells of a failover which upstream failed, and why', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red && blue);
    await red.kill();
    const instance = await startInstance(t, [red, blue], { server: { workers: 2 } });
    await until('a request fails over', async () => {
      assert.equal((await ask(instance.url, { path: '/things?password=secret' })).body, 'blue');
      return (await requests(instance)).some(({ attempts }) => attempts === 2);
    });
    const [found] = (await requests(instance)).filter(({ attempts }) => attempts === 2);
    const { code, stdout } = await explain(instance, found?.id ?? '');
    assert.equal(code, 0);
    assert.match(stdout, /^GET \/things\?password=REDACTED: 200, responded after [\d.]+ ms$/m);
    assert.match(stdout, /^ +red .* failed: No connection to an upstream could be made\.$/m);
    assert.match(stdout, /^ +blue .* 200$/m);
    const states = [...stdout.matchAll(/^ {2}((?:seeking\.)?[a-z]+ing|responded) /gm)].map(
      ([, name]) => name,
    );
    assert.deepEqual(states.slice(3), [
      'seeking.forwarding',
      'seeking.weighing',
      'seeking.selecting',
      'seeking.forwarding',
      'responding',
      'responded',
    ]);
  });

  it('tells what a request is waiting for', async (t) => {
    const silent = await startUpstream(t, 'silent', () => {});
    const instance = await startInstance(t, [silent]);
    const asked = ask(instance.url, { path: '/report' });
    await until('it is under way', async () => (await requests(instance, '?status=open')).length === 1);
    const [{ id } = { id: '' }] = await requests(instance, '?status=open');
    const { stdout } = await explain(instance, id);
    assert.match(stdout, /^GET \/report: under way for /m);
    assert.match(stdout, /^ +silent .* under way$/m);
    await instance.stop('SIGKILL');
    assert.equal((await asked).status, 0);
  });

  it('tells why a refusal was made, under the id that the client got', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']), {
      middleware: { auth: { auth_type: 'bearer', valid_tokens: ['secret'] } },
    });
    const response = await fetch(`${instance.url}/private`);
    const { request_id } = (await response.json()) as { request_id: string };
    const { stdout } = await explain(instance, request_id);
    assert.match(stdout, /^GET \/private: 401, refused after [\d.]+ ms: This route needs credentials\.$/m);
  });

  it('says what is wrong with an id that is none, or that nobody knows', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    const none = await explain(instance, 'latest');
    assert.deepEqual([none.code, none.stdout], [64, '']);
    assert.match(none.stderr, /an id has 32 hexadecimal digits/);
    const unknown = await explain(instance, 'f'.repeat(32));
    assert.equal(unknown.code, 69);
    assert.match(unknown.stderr, /no such request is remembered here/);
  });
});

describe('what a worker remembers', () => {
  it('outlives it, with what it had under way', async (t) => {
    const silent = await startUpstream(t, 'silent', (request, response) => {
      if (request.url !== '/waits') response.end();
    });
    const script = new URL('./fixtures/fragile-instance.ts', import.meta.url).pathname;
    const instance = await startInstance(t, [silent], { server: { workers: 1 } }, script);
    await ask(instance.url, { path: '/served' });
    const waiting = ask(instance.url, { path: '/waits' });
    await until('it is under way', async () => (await requests(instance, '?status=open')).length === 1);
    await ask(instance.url, { path: '/die' });
    assert.equal((await waiting).status, 0);
    await until('the worker is there again', async () => (await ask(instance.url)).status === 200);
    const outcomes = new Map((await requests(instance)).map(({ target, outcome }) => [target, outcome]));
    assert.equal(outcomes.get('/served'), 'responded');
    assert.equal(outcomes.get('/waits'), 'lost');
  });
});

describe('the level of the log', () => {
  it('can be changed while the instance runs', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    const put = (level: string) =>
      fetch(`${instance.admin}/api/log-level`, { method: 'PUT', body: JSON.stringify({ level }) });
    assert.equal((await put('error')).status, 200);
    assert.deepEqual(await (await fetch(`${instance.admin}/api/log-level`)).json(), { level: 'error' });
    assert.equal(await instance.stop(), 0);
    assert.doesNotMatch(instance.output, /draining/);
  });

  it('cannot be what it does not know', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    const response = await fetch(`${instance.admin}/api/log-level`, {
      method: 'PUT',
      body: '{"level":"loud"}',
    });
    assert.equal(response.status, 400);
    assert.match(await response.text(), /expected one of `debug`, `info`, `warn`, `error`/);
  });
});
