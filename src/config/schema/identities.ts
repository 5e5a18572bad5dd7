/** The rule that whoever counts by user or key must also ask for one: else every count is by address. */

import { z } from 'zod';
import { Anything, type Report } from './section.ts';

const LimitView = z.object({
  enabled: z.boolean(),
  key: z.union([z.string().transform((key) => [key]), z.array(z.string())]).default([]),
  tiers: z.array(z.object({ match: z.object({ user: Anything }) })),
});

const OnOff = z.object({ enabled: z.boolean() });

const RouteView = z.object({
  auth: z.union([z.literal(false), OnOff]).optional(),
  rate_limit: Anything,
});

export const IdentitiesView = z.object({
  middleware: z.object({ auth: OnOff.optional(), rate_limit: Anything }),
  routes: z.array(RouteView).optional(),
});

export function checkIdentities(config: z.output<typeof IdentitiesView>, report: Report): void {
  const authByDefault = config.middleware.auth?.enabled ?? false;
  // Without routes there is one, which takes everything as it is by default.
  const routes = config.routes ?? [{ rate_limit: undefined }];
  let isDefaultMet = false;
  for (const [index, route] of routes.entries()) {
    const hasAuth = route.auth === undefined ? authByDefault : route.auth !== false && route.auth.enabled;
    if (route.rate_limit === undefined) isDefaultMet ||= hasAuth;
    else if (!hasAuth && needsIdentity(route.rate_limit)) {
      report(
        ['routes', index, 'rate_limit'],
        'asks for the user or API key, but the route has no authentication',
      );
    }
  }
  if (!isDefaultMet && needsIdentity(config.middleware.rate_limit)) {
    report(
      ['middleware', 'rate_limit'],
      'asks for the user or API key, but no route of it has authentication',
    );
  }
}

function needsIdentity(limit: unknown): boolean {
  const view = LimitView.safeParse(limit);
  if (!view.success || !view.data.enabled) return false;
  const { key, tiers } = view.data;
  return (
    key.includes('user') || key.includes('api_key') || tiers.some(({ match }) => match.user !== undefined)
  );
}
