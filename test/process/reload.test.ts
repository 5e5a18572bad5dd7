import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask, load, tally } from '#test/support/load.ts';
import {
  freePort,
  type Instance,
  launchInstance,
  ROOT,
  runCommand,
  startInstance,
  until,
} from '#test/support/process.ts';
import { RawClient, requestOf } from '#test/support/raw-client.ts';
import { startRawUpstream, startUpstream, startUpstreams } from '#test/support/upstream.ts';

type Named = { readonly name: string; readonly port: number };

/** Gives some sections of an instance's configuration file anew. */
async function rewrite({ file }: Instance, sections: object): Promise<void> {
  const before = JSON.parse(await readFile(file, 'utf8')) as object;
  await writeFile(file, JSON.stringify({ ...before, ...sections }, null, 2));
}

function poolOf(...upstreams: readonly Named[]) {
  return { upstreams: upstreams.map(({ name, port }) => ({ name, port, address: '127.0.0.1' })) };
}

async function reload({ admin }: Instance) {
  const response = await fetch(`${admin}/api/reload`, { method: 'POST' });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function metricsOf({ admin }: Instance): Promise<string> {
  return (await fetch(`${admin}/metrics`)).text();
}

describe('a reload', () => {
  it('puts routes, pools, authentication and answers into effect together', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const instance = await startInstance(t, [red], { server: { workers: 2 } });
    assert.equal((await ask(instance.url, { path: '/new' })).body, 'red');

    const auth = { auth_type: 'api_key', valid_tokens: ['a-key-of-a-client'] };
    await rewrite(instance, {
      pools: { other: poolOf(blue) },
      health: { body: '{"reloaded":true}' },
      routes: [
        { name: 'keyed', path_prefix: '/keyed', pool: 'other', auth },
        { name: 'new', path_prefix: '/new', pool: 'other' },
        { name: 'rest' },
      ],
    });
    const { status, body } = await reload(instance);
    assert.equal(status, 200);
    assert.deepEqual(body['upstreams'], { added: ['other/blue'], changed: [], removed: [] });
    assert.deepEqual(body['awaiting_restart'], []);

    const asked = ['/new', '/keyed', '/rest', '/health'].map((path) => ask(instance.url, { path }));
    assert.deepEqual(
      (await Promise.all(asked)).map(({ status, body }) => (status === 200 ? body : status)),
      ['blue', 401, 'red', '{"reloaded":true}'],
    );
    const headers = { 'X-API-Key': 'a-key-of-a-client' };
    assert.equal((await ask(instance.url, { path: '/keyed', headers })).body, 'blue');
    const { config } = (await (await fetch(`${instance.admin}/api/cluster`)).json()) as {
      config: { checksum: string };
    };
    assert.equal(config.checksum, body['checksum']);
  });

  it('again and again under load loses no request, and mixes nothing of two configurations', async (t) => {
    const [red, blue] = await startUpstreams(t, ['red', 'blue']);
    assert.ok(red !== undefined && blue !== undefined);
    const instance = await startInstance(t, [red], { server: { workers: 2 } });
    const sides = [red, blue].map((upstream) => ({
      load_balancing: undefined,
      pools: { [`only-${upstream.name}`]: poolOf(upstream) },
      routes: [
        {
          pool: `only-${upstream.name}`,
          response_headers: { set: { 'X-Side': upstream.name } },
        },
      ],
    }));
    let isOver = false;
    const mixed: string[] = [];
    const watch = async () => {
      while (!isOver) {
        const response = await fetch(instance.url);
        const side = response.headers.get('x-side');
        const body = await response.text();
        if (side !== null && side !== body) mixed.push(`${side} ${body}`);
      }
    };
    const running = Promise.all([load(instance.url, 16, () => isOver), watch()]);
    for (let round = 0; round < 20; round++) {
      await rewrite(instance, sides[round % 2] ?? {});
      assert.equal((await reload(instance)).status, 200);
    }
    isOver = true;
    const [samples] = await running;
    assert.deepEqual(Object.keys(tally(samples.map(({ status }) => status))), ['200']);
    assert.deepEqual(mixed, []);
    assert.equal(await instance.stop(), 0);
  });

  it('leaves streams and WebSockets what they were admitted with', async (t) => {
    let finish: ServerResponse['end'] = () => assert.fail('nothing was asked');
    const slow = await startUpstream(t, 'slow', (_, response) => {
      response.write('begun, ');
      finish = response.end.bind(response);
    });
    const socket = await startRawUpstream(t, (socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
        socket.on('data', (bytes) => socket.write(bytes));
      });
    });
    const [blue] = await startUpstreams(t, ['blue']);
    assert.ok(blue !== undefined);
    const instance = await startInstance(t, [slow], {
      pools: { sockets: poolOf(socket) },
      routes: [{ path_prefix: '/chat', pool: 'sockets' }, { pool: 'default' }],
    });
    const stream = await fetch(instance.url);
    const chat = RawClient.dial(t, instance.port);
    chat.say(requestOf('GET /chat', 'Connection: Upgrade', 'Upgrade: websocket'));
    await chat.hears('\r\n\r\n');

    await rewrite(instance, { pools: {}, routes: undefined, load_balancing: poolOf(blue) });
    const { body } = await reload(instance);
    assert.deepEqual(body['upstreams'], {
      added: ['default/blue'],
      changed: [],
      removed: ['default/slow', 'sockets/raw'],
    });
    assert.equal((await ask(instance.url, { path: '/chat' })).body, 'blue');
    chat.say('still here');
    await chat.hears('still here');
    finish('and ended');
    assert.equal(await stream.text(), 'begun, and ended');
  });

  it('lets limits that stay the same count on', async (t) => {
    const middleware = { rate_limit: { requests_per_minute: 1, burst_size: 2 } };
    const instance = await startInstance(t, await startUpstreams(t, ['red']), { middleware });
    const statuses = async () => [(await ask(instance.url)).status, (await ask(instance.url)).status];
    assert.deepEqual(await statuses(), [200, 200]);
    await rewrite(instance, { health: { body: '1' } });
    await reload(instance);
    assert.deepEqual(await statuses(), [429, 429]);
    await rewrite(instance, { middleware: {} });
    await reload(instance);
    assert.deepEqual(await statuses(), [200, 200]);
  });

  it('names what takes a restart, and does the rest', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    const { server } = JSON.parse(await readFile(instance.file, 'utf8')) as { server: object };
    await rewrite(instance, {
      server: { ...server, listen_port: await freePort() },
      health: { body: '"new"' },
    });
    const { code, stdout, stderr } = await runCommand(['reload', '--admin', instance.admin]);
    assert.equal(code, 0);
    assert.match(stdout, /proxy\.yaml is in effect \(checksum [0-9a-f]{16}\)\n$/);
    assert.equal(stderr, 'signalbox: server.listen_port has changed; that takes effect after a restart\n');
    assert.equal((await ask(instance.url, { path: '/health' })).body, '"new"');

    // Compared with what it was started with, and not with the reload before.
    await until('a signal does the same', async () => {
      instance.child.kill('SIGHUP');
      return instance.output.split('"settings":["server.listen_port"]').length > 2;
    });
  });

  it('of a file with mistakes names all of them, and changes nothing', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    const before = await readFile(instance.file, 'utf8');
    await writeFile(instance.file, 'health: {body: "1"}\nserver:\n  listen_prt: 1\n  workers: none\n');
    const { status, body } = await reload(instance);
    assert.equal(status, 422);
    const errors = body['errors'] as { file: string; line: number; column: number; path: string }[];
    assert.deepEqual(
      errors.map(({ file, line, column, path }) => [file === instance.file, line, column, path]).toSorted(),
      [
        [true, 1, 1, ''],
        [true, 3, 3, 'server'],
        [true, 4, 12, 'server.workers'],
      ],
    );
    const told = await runCommand(['reload', '--admin', instance.admin]);
    assert.equal(told.code, 69);
    assert.match(told.stderr, /what was served is served on:\n(.*proxy\.yaml:\d+:\d+: .*\n){3}$/);
    assert.deepEqual(
      [(await ask(instance.url)).body, (await ask(instance.url, { path: '/health' })).body],
      ['red', '{"status":"healthy"}'],
    );
    assert.match(await metricsOf(instance), /^signalbox_config_last_reload_refused 1$/m);

    await writeFile(instance.file, before);
    assert.equal((await reload(instance)).status, 200);
    const metrics = await metricsOf(instance);
    assert.match(metrics, /^signalbox_config_last_reload_refused 0$/m);
    assert.match(metrics, /^signalbox_config_reloads_total\{signalbox_result="applied"\} 1$/m);
    assert.match(metrics, /^signalbox_config_reloads_total\{signalbox_result="refused"\} 2$/m);
  });

  it('that brings the first route with tokens is refused: nobody could get in', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    await rewrite(instance, { middleware: { auth: { auth_type: 'jwt' } } });
    const { status, body } = await reload(instance);
    assert.equal(status, 422);
    assert.match(String(body['detail']), /`auth_type: jwt`.*takes a restart/);
    assert.equal((await ask(instance.url)).body, 'red');
  });
});

describe('SIGHUP', () => {
  // Until an instance had read its configuration nobody heard the signal, and the system ended the process.
  it('while an instance starts does not end it', async (t) => {
    const NODE_OPTIONS = `--import ${join(ROOT, 'test', 'process', 'fixtures', 'early-hangup.mjs')}`;
    const [red] = await startUpstreams(t, ['red']);
    assert.ok(red !== undefined);
    const instance = await launchInstance(t, [red], {}, null, { NODE_OPTIONS });
    await until('it serves', () => {
      assert.equal(instance.child.signalCode, null);
      return instance.isReady();
    });
    assert.equal((await ask(instance.url)).body, 'red');
  });
});
