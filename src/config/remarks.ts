/** What is worth saying about a configuration that is valid. */

import { asksForTokens } from './build/jwt.ts';
import type { Path } from './diagnostics.ts';
import type { Config } from './schema.ts';

export type Remark = { readonly path: Path; readonly message: string };

/** What works, but not as its writer may think. */
export function warningsAbout(config: Config): Remark[] {
  const used = new Set(config.routes?.map((route) => route.pool) ?? ['default']);
  const unused = Object.keys(config.pools).filter((name) => !used.has(name));
  const warnings: Remark[] = unused.map((name) => ({
    path: ['pools', name],
    message: 'no route leads to this pool',
  }));
  for (const section of ['jwt', 'accounts', 'database'] as const) {
    if (config[section] === undefined || asksForTokens(config)) continue;
    warnings.push({ path: [section], message: 'has no effect: no route has `auth_type: jwt`' });
  }
  if (config.redis !== undefined) {
    const message = 'has no effect: Signalbox needs no Redis; remove the section';
    warnings.push({ path: ['redis'], message });
  }
  return warnings;
}
