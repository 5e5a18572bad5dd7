import { join } from 'node:path';
import type { DatabaseSettings } from '#core/account-settings.ts';
import type { Environment } from '../env.ts';
import { Database } from '../schema/database.ts';
import type { Config } from '../schema.ts';

const DATA_FOLDER = 'data';
const FILE = 'accounts.db';

export function buildDatabase(config: Config, env: Environment): DatabaseSettings {
  const {
    url = env['DATABASE_URL'],
    max_connections,
    min_connections,
  } = config.database ?? Database.parse({});
  return url === undefined || url === ''
    ? { kind: 'sqlite', file: join(env['SIGNALBOX_DATA_DIR'] || DATA_FOLDER, FILE) }
    : { kind: 'postgres', url, connectionsMax: max_connections, connectionsMin: min_connections };
}
