/** What is worth saying about a configuration that is valid. */

import type { Path } from './diagnostics.ts';
import type { Config } from './schema.ts';

const NO_ACCOUNTS = 'auth_type jwt needs accounts, which are not part of this build yet';

export type Remark = { readonly path: Path; readonly message: string };

/** What works, but not as its writer may think. */
export function warningsAbout(config: Config): Remark[] {
  const used = new Set(config.routes?.map((route) => route.pool) ?? ['default']);
  const unused = Object.keys(config.pools).filter((name) => !used.has(name));
  const warnings = unused.map((name) => ({ path: ['pools', name], message: 'no route leads to this pool' }));
  if (config.redis === undefined) return warnings;
  const message = 'has no effect: Signalbox needs no Redis; remove the section';
  return [{ path: ['redis'], message }, ...warnings];
}

/** What the schema knows and this build has not. */
export function unsupportedIn({ middleware, routes = [] }: Config): Remark[] {
  const sections = [
    { auth: middleware.auth, path: ['middleware', 'auth', 'auth_type'] },
    ...routes.map(({ auth }, index) => ({ auth, path: ['routes', index, 'auth', 'auth_type'] })),
  ];
  return sections
    .filter(({ auth }) => typeof auth === 'object' && auth.enabled && auth.auth_type === 'jwt')
    .map(({ path }) => ({ path, message: NO_ACCOUNTS }));
}
