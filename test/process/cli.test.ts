import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import argon2 from 'argon2';
import { COMMANDS } from '#cli/commands.ts';
import { BIN, freePort, ROOT, runCommand, startInstance, writeConfig } from '#test/support/process.ts';
import { startUpstreams } from '#test/support/upstream.ts';

describe('the command line', () => {
  it('lists every command', async () => {
    const { code, stdout } = await runCommand([]);
    assert.equal(code, 0);
    for (const name of Object.keys(COMMANDS)) assert.match(stdout, new RegExp(`^  ${name} +\\S`, 'm'));
  });

  for (const name of Object.keys(COMMANDS)) {
    it(`explains ${name}, however it is asked to`, async () => {
      const { code, stdout } = await runCommand(['help', name]);
      assert.equal(code, 0);
      assert.match(stdout, new RegExp(`^Usage: signalbox ${name}`));
      assert.equal((await runCommand([name, '--help'])).stdout, stdout);
    });
  }

  it('names the command, the option or the machine that was nearly typed', async () => {
    for (const [args, line] of [
      [['strat'], 'signalbox: there is no command `strat`; did you mean `start`?\n'],
      [['start', '--confg', 'x'], 'signalbox: there is no option `--confg`; did you mean `--config`?\n'],
      [['chart', 'requst'], 'signalbox: there is no machine `requst`; did you mean `request`?\n'],
    ] as const) {
      assert.deepEqual(await runCommand(args), { code: 64, stdout: '', stderr: line });
    }
  });

  it('answers every other mistake with one line, too', async () => {
    for (const args of [
      ['frobnicate'],
      ['__proto__'],
      ['help', 'x'],
      ['version', 'x'],
      ['check', '--config'],
      ['hash', '--token=x'],
      ['chart', '--format', 'png'],
      ['upstreams'],
      ['upstreams', 'list', '--admin', 'not a URL'],
    ]) {
      const { code, stdout, stderr } = await runCommand(args);
      assert.equal(code, 64, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, /^signalbox: .+\n$/);
    }
  });

  it('runs from any folder, through links to it', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'signalbox test '));
    t.after(() => rm(folder, { recursive: true }));
    await symlink(BIN, join(folder, 'first'));
    await symlink('first', join(folder, 'second'));
    const { status, stdout } = spawnSync(join(folder, 'second'), ['version'], {
      cwd: folder,
      encoding: 'utf8',
    });
    assert.equal(status, 0);
    assert.match(stdout, /^signalbox \d+\.\d+\.\d+\n$/);
  });
});

describe('signalbox check', () => {
  it('prints every mistake with its place and exits with 78', async (t) => {
    const file = await writeConfig(t, 'server:\n  listen_prt: 1\nload_balancing:\n  upstreams: []\n');
    const { code, stderr } = await runCommand(['check', '--config', file]);
    assert.equal(code, 78);
    assert.match(stderr, /proxy\.yaml:2:3: .*listen_prt/);
    assert.match(stderr, /proxy\.yaml:4:/);
  });

  it('says ok to the configuration of the demo', async () => {
    const file = join(ROOT, 'config', 'demo.yaml');
    const outcome = await runCommand(['check', '--config', file]);
    assert.deepEqual(outcome, { code: 0, stdout: `${file}: ok\n`, stderr: '' });
  });
});

describe('signalbox hash', () => {
  it('prints an argon2id hash of the password, without the line break at its end', async () => {
    const { code, stdout } = await runCommand(['hash'], 'pass word\n');
    assert.equal(code, 0);
    assert.match(stdout, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}\n$/);
    assert.ok(await argon2.verify(stdout.trim(), 'pass word'));
  });

  it('prints the digest of a token', async () => {
    const { stdout } = await runCommand(['hash', '--token'], 'dev-token-123');
    assert.equal(stdout, `sha256:${hash('sha256', 'dev-token-123')}\n`);
  });

  it('refuses nothing, too much and more than a line', async () => {
    for (const input of ['', '\n', 'two\nlines\n', 'x'.repeat(8193)]) {
      const { code, stdout } = await runCommand(['hash'], input);
      assert.deepEqual({ code, stdout }, { code: 64, stdout: '' });
    }
  });

  it('refuses what is not UTF-8', async () => {
    // It hashed U+FFFD in its place, so that a password in Latin-1 was right for any other of its length.
    for (const args of [['hash'], ['hash', '--token']]) {
      assert.deepEqual(await runCommand(args, Buffer.from('na\xefve', 'latin1')), {
        code: 64,
        stdout: '',
        stderr: 'signalbox: standard input is not UTF-8\n',
      });
    }
  });
});

describe('signalbox chart', () => {
  it('prints one machine as a drawing or as data', async () => {
    const drawing = await runCommand(['chart', 'request']);
    assert.match(drawing.stdout, /^%% request\nstateDiagram-v2\n/);
    const data = await runCommand(['chart', 'request', '--format', 'json']);
    assert.equal(JSON.parse(data.stdout).id, 'request');
  });

  it('prints all machines when none is named', async () => {
    const { stdout } = await runCommand(['chart', '--format', 'json']);
    assert.ok(JSON.parse(stdout).length >= 2);
  });
});

describe('signalbox upstreams list', () => {
  it('shows the upstreams of a running instance', async (t) => {
    const upstreams = await startUpstreams(t, ['red', 'blue']);
    const instance = await startInstance(t, upstreams);
    const { code, stdout } = await runCommand(['upstreams', 'list', '--admin', instance.admin]);
    assert.equal(code, 0);
    const [header, ...rows] = stdout.trim().split('\n');
    assert.match(header ?? '', /^pool +name +address/);
    assert.deepEqual(
      rows.map((row) => row.split(/ +/).slice(0, 3)),
      upstreams.map(({ name, port }) => ['default', name, `127.0.0.1:${port}`]),
    );
  });

  it('says so when nothing listens, or something else does', async (t) => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const missing = await runCommand(['upstreams', 'list', '--admin', nobody]);
    assert.equal(missing.code, 69);
    assert.match(missing.stderr, /^signalbox: no instance answers at http:\/\/127\.0\.0\.1:\d+ .+\n$/);

    const [other] = await startUpstreams(t, ['other']);
    const stranger = await runCommand(['upstreams', 'list', '--admin', `http://127.0.0.1:${other?.port}`]);
    assert.equal(stranger.code, 69);
    assert.match(stranger.stderr, /is not Signalbox's admin listener\n$/);
  });
});

describe('signalbox start', () => {
  it('names the port that is taken, what for and how to see by whom', async (t) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as { port: number };
    const file = await writeConfig(t, {
      server: { listen_address: '127.0.0.1', listen_port: port },
      admin: { listen: `127.0.0.1:${await freePort()}` },
      load_balancing: { upstreams: [{ name: 'red', address: '127.0.0.1', port: 1 }] },
    });
    const { code, stderr } = await runCommand(['start', '--config', file]);
    assert.equal(code, 69);
    assert.match(
      stderr,
      new RegExp(`^signalbox: proxy listener .*:${port} is taken .*ss -ltnp.*:${port}'\\n$`),
    );
  });

  it('prints what is wrong with its configuration and starts nothing', async (t) => {
    const file = await writeConfig(t, 'server: [');
    const { code, stderr } = await runCommand(['start', '--config', file]);
    assert.equal(code, 78);
    assert.match(stderr, /proxy\.yaml:1:/);
    assert.doesNotMatch(stderr, /\n {4}at /);
  });
});
