import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, describe, it } from 'node:test';
import { StoreUnavailable } from '#accounts/store/errors.ts';
import { openStore } from '#accounts/store/open.ts';
import { newUuid } from '#accounts/uuid.ts';
import { systemClock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import { addSession, addUser, outcomeOf, renew, unique } from './fixture.ts';
import { runProcesses } from './processes.ts';
import { describeStore } from './suites/all.ts';

describe('the store in SQLite', () => {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-sqlite-'));
  after(() => rmSync(root, { recursive: true, force: true }));

  const newFile = () => join(root, unique('folder'), 'accounts.db');
  const open = (file: string) => openStore({ kind: 'sqlite', file }, systemClock);

  describeStore(() => open(newFile()));

  it('makes its folder and files for nobody else to read', async () => {
    const file = newFile();
    await using store = await open(file);
    await addUser(store);
    const folder = dirname(file);
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(folder).toSorted(), ['accounts.db', 'accounts.db-shm', 'accounts.db-wal']);
    for (const name of readdirSync(folder)) assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600);
  });

  it('takes rights away from a file that others could read', async () => {
    const file = join(root, unique('accounts'));
    writeFileSync(file, '', { mode: 0o644 });
    await using store = await open(file);
    await store.ping();
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it('leaves alone what is not a file', async () => {
    const pipe = join(root, unique('pipe'));
    execFileSync('mkfifo', ['-m', '644', pipe]);
    await assert.rejects(open(pipe), /not that of a file/);
    assert.equal(statSync(pipe).mode & 0o777, 0o644);
  });

  it('still has everything when it is opened again', async () => {
    const file = newFile();
    const first = await open(file);
    const user = await addUser(first);
    const session = await addSession(first, user);
    const token = await renew(first, session.token.hash);
    await first[Symbol.asyncDispose]();

    await using second = await open(file);
    assert.deepEqual(await second.users.findByEmail(user.email), user);
    assert.equal(await outcomeOf(second, token), 'rotated');
  });

  // History: it waited in SQLite, and the control plane stood still for a second a statement.
  it('waits for a lock without keeping others in its thread from their work', async () => {
    const file = newFile();
    await using store = await open(file);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    const adding = addUser(store);
    other.exec('ROLLBACK');
    other.close();
    await adding;
  });

  it('says that it is unavailable while another process holds the lock, and goes on after that', async () => {
    const file = newFile();
    await using store = await open(file);
    const other = new DatabaseSync(file);
    other.exec('BEGIN IMMEDIATE');
    await assert.rejects(
      addUser(store),
      (error) => error instanceof StoreUnavailable && /lock/.test(error.message),
    );
    assert.equal(await store.users.findByEmail('reads@go.on'), null);
    other.exec('ROLLBACK');
    other.close();
    await addUser(store);
  });

  // History: where registering is not to tell whether an email is taken, the time of the commit told.
  it('[7] writes for an email that is taken, too', async () => {
    const file = newFile();
    await using store = await open(file);
    const user = await addUser(store);
    const other = new DatabaseSync(file);
    const version = () => other.prepare('PRAGMA data_version').get()?.['data_version'];
    const before = version();
    assert.equal(await store.users.create({ ...user, id: newUuid(user.createdAtMs) }), 'email_taken');
    assert.notEqual(version(), before);
    other.close();
    assert.deepEqual(await store.users.findByEmail(user.email), user);
  });

  it('says what is wrong with a file that it cannot use', async () => {
    const file = join(root, unique('text'));
    writeFileSync(file, 'this is the diary of somebody else, and longer than a header'.repeat(20));
    const unusable = (reason: RegExp) => (error: unknown) => {
      assert.ok(error instanceof SignalboxError && error.code === 'database_unusable');
      assert.match(error.message, reason);
      return error.message.includes(root) && /SIGNALBOX_DATA_DIR/.test(error.message);
    };
    await assert.rejects(open(file), unusable(/not an SQLite database/));
    await assert.rejects(open(join(file, 'accounts.db')), unusable(/EEXIST/));
    await assert.rejects(open(root), unusable(/not that of a file/));
  });

  it('refuses what is asked of it after it was closed', async () => {
    const store = await open(newFile());
    await store[Symbol.asyncDispose]();
    await assert.rejects(store.ping(), StoreUnavailable);
  });

  it('[26] lets one of several processes renew a token', async () => {
    const file = newFile();
    await using store = await open(file);
    const user = await addUser(store);
    const tokens: string[] = [];
    for (let n = 0; n < 40; n++) tokens.push((await addSession(store, user)).token.hash);

    const won = await runProcesses('rotate', 4, [file, ...tokens]);
    assert.deepEqual(won.flat().toSorted(), tokens.toSorted());
  });
});
