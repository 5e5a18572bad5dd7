/**
 * Processes that do one thing with one database at the same time: this file starts them, and is what they
 * run. They wait for each other, by their standard input, so that they begin together.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { migrate, readMigrations } from '#accounts/store/migrations.ts';
import { openStore } from '#accounts/store/open.ts';
import { PostgresDatabase } from '#accounts/store/postgres.ts';
import { SqliteDatabase } from '#accounts/store/sqlite.ts';
import type { DatabaseSettings } from '#core/account-settings.ts';
import { systemClock } from '#core/clock.ts';
import { outcomeOf } from './fixture.ts';

const FILE = fileURLToPath(import.meta.url);

/** What each process does, with its arguments, of which the first is a database; and what it returns. */
const TASKS: Readonly<Record<string, (place: string, args: string[]) => Promise<string[]>>> = {
  /** The migrations that it was this process that applied. */
  async migrate(place) {
    const settings = settingsOf(place);
    await using database =
      settings.kind === 'postgres'
        ? new PostgresDatabase(settings)
        : new SqliteDatabase(settings, systemClock);
    return await migrate(database, await readMigrations(), systemClock.wallMs());
  },

  /** The tokens that it was this process that renewed. */
  async rotate(place, tokens) {
    await using store = await openStore(settingsOf(place), systemClock);
    const won: string[] = [];
    for (const token of tokens) if ((await outcomeOf(store, token)) === 'rotated') won.push(token);
    return won;
  },
};

function settingsOf(place: string): DatabaseSettings {
  if (!place.startsWith('postgres:')) return { kind: 'sqlite', file: place };
  return { kind: 'postgres', url: place, connectionsMax: 2, connectionsMin: 0 };
}

/** Runs a task in that many processes at once; what each of them returned. */
export async function runProcesses(task: string, count: number, args: string[]): Promise<string[][]> {
  const children = Array.from({ length: count }, () =>
    spawn(process.execPath, [FILE, task, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  await Promise.all(children.map((child) => once(child.stdout, 'readable')));
  for (const child of children) child.stdin.end();
  const outputs = await Promise.all(children.map((child) => text(child.stdout)));
  return outputs.map((output) => JSON.parse(output));
}

if (process.argv[1] === FILE) {
  const [, , task = '', place = '', ...args] = process.argv;
  // White space, which JSON does not mind: ready.
  process.stdout.write('\n');
  await text(process.stdin);
  // To wait for a lock alone does not keep a process alive.
  const alive = setInterval(() => {}, 60_000);
  process.stdout.write(JSON.stringify(await TASKS[task]?.(place, args)));
  clearInterval(alive);
}
