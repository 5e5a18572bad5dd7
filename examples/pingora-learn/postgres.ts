// A Postgres server for the smoke test: prints its URL, and runs until it is told to end.
import { once } from 'node:events';
import { TestPostgres } from '#test/support/postgres.ts';

const ended = once(process, 'SIGTERM');
await using postgres = await TestPostgres.start();
console.log(`listening on ${postgres.url()}`);
// The signal alone does not keep a process alive.
const alive = setInterval(() => {}, 60_000);
await ended;
clearInterval(alive);
