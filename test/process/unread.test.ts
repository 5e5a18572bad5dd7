import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ask } from '#test/support/load.ts';
import { BIN, freePort, ROOT, startInstance, until, writeConfig } from '#test/support/process.ts';
import { startUpstream, startUpstreams } from '#test/support/upstream.ts';

const PRINTING = join(ROOT, 'test', 'process', 'fixtures', 'printing-instance.ts');

describe('an instance whose output cannot be written', () => {
  const starts = {
    'that only logs': (file: string) => [BIN, 'start', '--config', file],
    'that prints, too': (file: string) => [process.execPath, PRINTING, file],
  };
  for (const [what, start] of Object.entries(starts)) {
    it(`serves, drains and exits with 0 on a full disk: one ${what}`, async (t) => {
      // The first line of the log that could not be written ended it, as did what the demo prints.
      const upstream = await startUpstream(t, 'red');
      const [port, adminPort] = await Promise.all([freePort(), freePort()]);
      const file = await writeConfig(t, {
        server: { listen_address: '127.0.0.1', listen_port: port, workers: 1 },
        admin: { listen: `127.0.0.1:${adminPort}` },
        load_balancing: { upstreams: [{ address: '127.0.0.1', port: upstream.port }] },
        // Its warning goes the same way.
        redis: {},
      });
      const full = openSync('/dev/full', 'w');
      const [command = '', ...args] = start(file);
      const child = spawn(command, args, { stdio: ['ignore', full, full] });
      closeSync(full);
      t.after(() => child.kill('SIGKILL'));
      await until('it serves', async () => (await ask(`http://127.0.0.1:${port}`)).body === 'red');
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    });
  }

  it('serves, drains and exits with 0 after its reader has gone', async (t) => {
    const instance = await startInstance(t, await startUpstreams(t, ['red']));
    instance.child.stdout?.destroy();
    instance.child.stderr?.destroy();
    assert.equal((await ask(instance.url)).body, 'red');
    assert.equal(await instance.stop(), 0);
  });
});
