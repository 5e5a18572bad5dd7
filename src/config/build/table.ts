/** A checked configuration → the first table. */

import type { HeaderNames, Table } from '#core/table.ts';
import type { Config } from '../schema.ts';
import { buildDoor } from './door.ts';
import { buildPools } from './pools.ts';
import { buildRoutes } from './routes.ts';

const FIRST_REVISION = 1;

/** `pemByName` has the contents of every `ca_file`. */
export function buildTable(config: Config, pemByName: ReadonlyMap<string, string>): Table {
  return {
    revision: FIRST_REVISION,
    routes: buildRoutes(config),
    pools: buildPools(config, pemByName),
    headers: buildHeaderNames(config.headers),
    localDoor: buildDoor(config, {}),
    healthBody: config.health.body ?? defaultHealthBody(config),
  };
}

/** What the systems that such a configuration comes from answer themselves. */
function defaultHealthBody({ middleware }: Config): string {
  return middleware.auth?.auth_type === 'jwt'
    ? '{"status":"ok","service":"signalbox"}'
    : '{"status":"healthy"}';
}

function buildHeaderNames(headers: Config['headers']): HeaderNames {
  return {
    requestId: headers.request_id || null,
    responseTime: headers.response_time || null,
    proxyBy: headers.proxy_by || null,
    backend: headers.backend || null,
    via: headers.via || null,
    forwarded: headers.forwarded,
    passServer: headers.server === 'pass',
    identity: {
      userId: headers.user_id || null,
      userEmail: headers.user_email || null,
      userIssuer: headers.user_issuer || null,
    },
  };
}
