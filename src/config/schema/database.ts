import { z } from 'zod';
import { rule, secret } from './section.ts';
import { integer } from './values.ts';

const DatabaseSection = z.strictObject({
  url: secret(
    z.string().regex(/^postgres(?:ql)?:\/\/[!-~]{1,2000}$/),
    'a URL that begins with `postgres://` or `postgresql://`',
  )
    .optional()
    .describe(
      'Postgres. Default: the environment variable `DATABASE_URL`; and without it, SQLite in the file `accounts.db` under `data/`, or under `SIGNALBOX_DATA_DIR`.',
    ),
  max_connections: integer(1, 1000).default(10).describe('Connections that an instance opens to Postgres.'),
  min_connections: integer(0, 1000).default(1).describe('Connections that it keeps open.'),
});

const View = z.object({ max_connections: z.number(), min_connections: z.number() });

export const Database = rule(DatabaseSection, View, ({ max_connections, min_connections }, report) => {
  if (min_connections > max_connections) report(['min_connections'], 'is more than `max_connections`');
});
