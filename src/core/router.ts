import type { Route } from './table.ts';

export type RouteQuery = {
  readonly method: string;
  /** Normalised path. */
  readonly path: string;
  /** Host as the client named it, with or without port. */
  readonly host: string;
};

/** The first route, in the table's order of precedence, that matches. */
export function matchRoute(routes: readonly Route[], query: RouteQuery): Route | null {
  for (const route of routes) {
    if (
      matchesPath(route.match.pathPrefix, query.path) &&
      matchesHost(route, query) &&
      matchesMethod(route, query)
    ) {
      return route;
    }
  }
  return null;
}

/** Whole segments only: `/api` is no prefix of `/apix`. */
function matchesPath(prefix: string, path: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith('/') || path.length === prefix.length || path[prefix.length] === '/';
}

function matchesHost({ match }: Route, { host }: RouteQuery): boolean {
  if (match.host === null) return true;
  const name = hostName(host);
  if (!match.host.startsWith('*.')) return name === match.host;
  const parent = match.host.slice(1);
  return name.length > parent.length && name.endsWith(parent);
}

function matchesMethod({ match }: Route, { method }: RouteQuery): boolean {
  return match.methods === null || match.methods.includes(method);
}

/** Lower case, without port and without the root's trailing dot. */
function hostName(host: string): string {
  const end = host.startsWith('[') ? host.indexOf(']') + 1 : host.lastIndexOf(':');
  const name = (end > 0 ? host.slice(0, end) : host).toLowerCase();
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
