import { createRequire } from 'node:module';

// Loaded by whoever needs it first, and synchronously, since a connection does not wait: node:http2 costs every worker
// 15 MB and 15 ms.
const require = createRequire(import.meta.url);

/** What speaks HTTP/2 with clients. */
export function loadH2Server(): typeof import('./h2-server/connection.ts') {
  return require('./h2-server/connection.ts');
}

/** What speaks HTTP/2 with upstreams. */
export function loadH2Client(): typeof import('./h2-dispatcher/h2-pool.ts') {
  return require('./h2-dispatcher/h2-pool.ts');
}
