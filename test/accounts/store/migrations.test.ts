import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type Database, statement } from '#accounts/store/database.ts';
import { type Migration, migrate, readMigrations } from '#accounts/store/migrations.ts';
import { PostgresDatabase } from '#accounts/store/postgres.ts';
import { SqliteDatabase } from '#accounts/store/sqlite.ts';
import { systemClock } from '#core/clock.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { NOW, unique } from './fixture.ts';
import { runProcesses } from './processes.ts';

describe('migrations', () => {
  const root = mkdtempSync(join(tmpdir(), 'signalbox-migrations-'));
  let postgres: TestPostgres;
  before(async () => {
    postgres = await TestPostgres.start();
  });
  after(async () => {
    await postgres[Symbol.asyncDispose]();
    rmSync(root, { recursive: true, force: true });
  });

  const open = (place: string): Database =>
    place.startsWith('postgres:')
      ? new PostgresDatabase({ kind: 'postgres', url: place, connectionsMax: 2, connectionsMin: 0 })
      : new SqliteDatabase({ kind: 'sqlite', file: place }, systemClock);

  const first: Migration = { number: 1, name: '001_a.sql', text: 'CREATE TABLE a (x BIGINT)', checksum: '1' };
  const second: Migration = {
    number: 2,
    name: '002_b.sql',
    text: 'CREATE TABLE b (x BIGINT)',
    checksum: '2',
  };

  const places = {
    SQLite: async () => join(root, unique('accounts.db')),
    Postgres: () => postgres.createDatabase(),
  };
  for (const [name, newPlace] of Object.entries(places)) {
    describe(`in ${name}`, () => {
      it('are applied once each, in order, by ten processes that start at once', async () => {
        const applied = await runProcesses('migrate', 10, [await newPlace()]);
        const names = (await readMigrations()).map((migration) => migration.name);
        assert.deepEqual(applied.flat().toSorted(), names);
      });

      it('are applied to what is there already, and only what is new', async () => {
        await using database = open(await newPlace());
        assert.deepEqual(await migrate(database, [first], NOW), ['001_a.sql']);
        assert.deepEqual(await migrate(database, [first, second], NOW), ['002_b.sql']);
        assert.deepEqual(await migrate(database, [first, second], NOW), []);
      });

      it('are refused when one has changed since it was applied', async () => {
        await using database = open(await newPlace());
        await migrate(database, [first], NOW);
        const changed = { ...first, checksum: 'another' };
        await assert.rejects(migrate(database, [changed, second], NOW), {
          code: 'migration_changed',
          message: /sql\/001_a\.sql is not what was applied/,
        });
      });

      it('of a newer release do not keep an older one from starting', async () => {
        await using database = open(await newPlace());
        await migrate(database, [first, second], NOW);
        assert.deepEqual(await migrate(database, [first], NOW), []);
      });

      it('leave nothing of themselves behind when they fail', async () => {
        await using database = open(await newPlace());
        const broken = { ...second, text: `${second.text}; CREATE NONSENSE` };
        await assert.rejects(migrate(database, [first, broken], NOW), { code: 'store_failed' });
        await assert.rejects(database.run(statement('SELECT x FROM b')), { code: 'store_failed' });
        assert.deepEqual(await migrate(database, [first, second], NOW), ['002_b.sql']);
      });
    });
  }

  it('have to be numbered without gaps', async () => {
    writeFileSync(join(root, '001_a.sql'), '');
    writeFileSync(join(root, '003_c.sql'), '');
    await assert.rejects(readMigrations(root), /003_c\.sql should be number 2/);
  });

  it('are the same whatever the line ends', async () => {
    const folders = [mkdtempSync(join(root, 'lf-')), mkdtempSync(join(root, 'crlf-'))] as const;
    writeFileSync(join(folders[0], '001_a.sql'), 'SELECT\n1;\n');
    writeFileSync(join(folders[1], '001_a.sql'), 'SELECT\r\n1;\r\n');
    assert.deepEqual(await readMigrations(folders[0]), await readMigrations(folders[1]));
  });
});
