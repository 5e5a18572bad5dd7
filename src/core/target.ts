/** A request target, understood (RFC 9112 §3.2). */
export type Target = {
  /** Path and query as they go to the upstream, byte for byte as received. */
  readonly origin: string;
  /** The path as routes see it: percent-decoded, slashes merged, dot segments resolved. */
  readonly path: string;
  /** The authority of an absolute-form target, which then replaces Host; else null. */
  readonly authority: string | null;
};

const ABSOLUTE = /^https?:\/\/([^/?#]*)([^#]*)$/i;

/** Null where the target is not one that a proxy can forward, or climbs above the root. */
export function parseTarget(raw: string): Target | null {
  if (raw.startsWith('/')) return withPath(raw, null);
  const absolute = ABSOLUTE.exec(raw);
  if (absolute === null) return null;
  const [, authority = '', rest = ''] = absolute;
  return withPath(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

function withPath(origin: string, authority: string | null): Target | null {
  if (origin.includes('#')) return null;
  const query = origin.indexOf('?');
  const path = normalisePath(query === -1 ? origin : origin.slice(0, query));
  return path === null ? null : { origin, path, authority };
}

// One look tells apart the many paths that are normal already.
const MAY_BE_ABNORMAL = /%|\/\/|\/\.|\\/;

/**
 * The path that an upstream may take this one for. Routes are matched with it, so that `/public/../admin`
 * and `/%61dmin` meet the middleware of `/admin`.
 */
function normalisePath(path: string): string | null {
  if (!MAY_BE_ABNORMAL.test(path)) return path;
  const decoded = decodePath(path);
  if (decoded === null) return null;
  const kept: string[] = [];
  const segments = decoded.replaceAll('\\', '/').split('/');
  for (const segment of segments) {
    if (segment === '..') {
      if (kept.length === 0) return null;
      kept.pop();
    } else if (segment !== '' && segment !== '.') {
      kept.push(segment);
    }
  }
  const last = segments.at(-1);
  const isFolder = last === '' || last === '.' || last === '..';
  return kept.length === 0 ? '/' : `/${kept.join('/')}${isFolder ? '/' : ''}`;
}

/** Null for an encoded NUL or a broken escape. Bytes that are no UTF-8 are kept apart, not merged. */
function decodePath(path: string): string | null {
  if (/%(?![0-9a-f]{2})|%00/i.test(path)) return null;
  try {
    return decodeURIComponent(path);
  } catch {
    return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
}
