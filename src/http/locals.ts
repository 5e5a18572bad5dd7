import { AUTH_PATHS, AUTH_ROOT, JWKS_PATH } from '#core/auth/pages.ts';
import type { Clock } from '#core/clock.ts';
import type { MetricsSettings } from '#core/settings.ts';
import type { LimitTable } from '#shared/limit-table.ts';
import { controlForms, nothingBelow } from './control-form.ts';
import type { ControlLine } from './control-line.ts';
import { keptPage } from './kept-page.ts';
import { controlPage, health, type Local, serverOptions } from './local.ts';
import { sessionLimit } from './session-limit.ts';

export type LocalsOptions = {
  readonly metrics: MetricsSettings;
  /** Whether tokens are issued here: then there are accounts, and keys to verify those tokens by. */
  readonly hasAccounts: boolean;
  readonly control: ControlLine;
  readonly limits: LimitTable;
  readonly ipv6PrefixBits: number;
  readonly clock: Clock;
};

/** All that a worker answers without an upstream, by itself or with the control plane's help, in order of precedence. */
export function createLocals(options: LocalsOptions): Local[] {
  const { metrics, hasAccounts, control } = options;
  const locals = [health, serverOptions];
  if (metrics.enabled && metrics.listener === 'proxy') locals.push(controlPage(metrics.endpoint, control));
  if (hasAccounts) locals.push(...accountPages(options));
  return locals;
}

function accountPages({ control, limits, ipv6PrefixBits, clock }: LocalsOptions): Local[] {
  const limitSessions = sessionLimit(limits, ipv6PrefixBits, clock);
  return [
    keptPage(controlPage(JWKS_PATH, control), clock),
    ...controlForms(AUTH_PATHS, { control, limitSessions, ipv6PrefixBits, clock }),
    nothingBelow(AUTH_ROOT),
  ];
}
