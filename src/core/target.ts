/** A request target, understood (RFC 9112 §3.2). */
export type Target = {
  /** Path and query as they go to the upstream: as received, but for dot segments, which are resolved. */
  readonly origin: string;
  /** The path as routes see it: percent-decoded as UTF-8, slashes merged, dot segments resolved. */
  readonly path: string;
  /** The authority of an absolute-form target, which then replaces Host; else null. */
  readonly authority: string | null;
};

const ABSOLUTE = /^https?:\/\/([^/?#]+)([^#]*)$/i;

/** Neither a visible character nor a byte beyond ASCII, or the start of a fragment: part of no request. */
const UNFIT = /[^!-~\x80-\xff]|#/;

/**
 * Null where the target is not one that a proxy can forward, climbs above the root, or may lead an
 * upstream elsewhere than it leads us. `raw` has one character for each byte.
 */
export function parseTarget(raw: string): Target | null {
  if (raw.startsWith('/')) return withPath(raw, null);
  const absolute = ABSOLUTE.exec(raw);
  if (absolute === null) return null;
  const [, authority = '', rest = ''] = absolute;
  return withPath(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

// One look tells apart the many paths that are normal already.
const MAY_BE_ABNORMAL = /%|\/\/|\/\.|\\|[^!-~]/;

/**
 * Routes are matched with the path that the upstream will take this one for, so that `/public/../admin`
 * and `/%61dmin` meet the middleware of `/admin`.
 */
function withPath(received: string, authority: string | null): Target | null {
  if (UNFIT.test(received)) return null;
  const query = received.indexOf('?');
  const receivedPath = query === -1 ? received : received.slice(0, query);
  if (!MAY_BE_ABNORMAL.test(receivedPath)) return { origin: received, path: receivedPath, authority };

  const sentPath = withoutDotSegments(receivedPath);
  const path = sentPath === null ? null : decodePath(sentPath);
  if (sentPath === null || path === null) return null;
  const origin = sentPath + received.slice(receivedPath.length);
  return { origin, path: path.replace(/[/\\]+/g, '/'), authority };
}

/** In a decoded path. Some servers cut path parameters off before they resolve: `/..;x/` (RFC 3986 §3.3). */
const DOT_SEGMENT = /[/\\]\.\.?(?:[/\\;]|$)/;

/** What may or may not be a segment's end, or a dot segment: servers differ. */
const READ_DIFFERENTLY = /%2f|%5c|\\|\/\/|\/(?:\.|%2e){1,2}(?:;|%3b)/i;

/**
 * Resolves `.` and `..` (RFC 3986 §5.2.4), since not every upstream would. Null if they climb above the
 * root, or if it depends on the reader where they lead: nobody sends that by accident.
 */
function withoutDotSegments(path: string): string | null {
  const decoded = decodePath(path);
  if (decoded === null || !DOT_SEGMENT.test(decoded)) return path;
  if (READ_DIFFERENTLY.test(path)) return null;

  const kept: string[] = [];
  let isFolder = false;
  for (const segment of path.slice(1).split('/')) {
    const plain = segment.replaceAll(/%2e/gi, '.');
    isFolder = plain === '.' || plain === '..';
    if (plain === '..' && kept.pop() === undefined) return null;
    if (!isFolder) kept.push(segment);
  }
  if (isFolder) kept.push('');
  return `/${kept.join('/')}`;
}

/** Null for an encoded NUL or a broken escape. */
function decodePath(path: string): string | null {
  if (/%(?![0-9a-f]{2})|%00/i.test(path)) return null;
  const bytes = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}
