import { createRequire } from 'node:module';

// At once, and not before: node:http2 takes 15 MB and as many milliseconds of every worker that never needs it.
const require = createRequire(import.meta.url);

/** What speaks HTTP/2 with clients. */
export function loadH2Server(): typeof import('./h2-server/connection.ts') {
  return require('./h2-server/connection.ts');
}

/** What speaks HTTP/2 with upstreams. */
export function loadH2Client(): typeof import('./h2-dispatcher/h2-pool.ts') {
  return require('./h2-dispatcher/h2-pool.ts');
}
