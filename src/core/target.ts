/** A request target, understood (RFC 9112 §3.2). */
export type Target = {
  /** Path and query as they go to the upstream: as received, but for dot segments and slashes in front. */
  readonly origin: string;
  /**
   * The path as routes see it: percent-decoded as UTF-8, dot segments resolved, slashes merged, and without
   * path parameters. docs/paths.md says why.
   */
  readonly path: string;
  /** The authority of an absolute-form target, which then replaces Host; else null. */
  readonly authority: string | null;
};

const ABSOLUTE = /^https?:\/\/([^/?#]+)([^#]*)$/i;

/** No visible character of ASCII (RFC 3986 §2), or the start of a fragment: part of no request. */
const UNFIT = /[^!-~]|#/;

/** Paths that are known with what they mean, in one thread, and characters of one. The number is a power of two. */
const PATHS_KNOWN = 64;
const KNOWN_LENGTH_MAX = 256;

const knownTargets: (Target | null)[] = new Array(PATHS_KNOWN).fill(null);

/**
 * Null where the target is not one that a proxy can forward, climbs above the root, or may lead an
 * upstream elsewhere than it leads us. `raw` has one character for each byte, and is no part of a longer text: a path
 * that is normal is known until another one takes its place, since most come again.
 */
export function parseTarget(raw: string): Target | null {
  const { length } = raw;
  const place =
    (length + 3 * raw.charCodeAt(length - 1) + 7 * raw.charCodeAt(length >> 1)) & (PATHS_KNOWN - 1);
  const known = knownTargets[place] ?? null;
  if (known !== null && known.path === raw) return known;
  const target = understand(raw);
  if (target !== null && target.path === raw && length <= KNOWN_LENGTH_MAX) knownTargets[place] = target;
  return target;
}

function understand(raw: string): Target | null {
  if (raw.startsWith('/')) return withPath(raw, null);
  const absolute = ABSOLUTE.exec(raw);
  if (absolute === null) return null;
  const [, authority = '', rest = ''] = absolute;
  return withPath(rest.startsWith('/') ? rest : `/${rest}`, authority);
}

const SERVER = /^(?:\*|https?:\/\/([^/?#]+))$/i;

/** What OPTIONS names to ask for the server as a whole (RFC 9112 §3.2.4), as `*`; else null. */
export function parseServerTarget(raw: string): Target | null {
  const match = SERVER.exec(raw);
  return match === null ? null : { origin: '*', path: '*', authority: match[1] ?? null };
}

/**
 * One look tells apart the many paths that are normal already: visible characters of ASCII, no percent signs,
 * semicolons or backslashes, and no segment that is empty or begins with a dot.
 */
const NORMAL = /^(?:\/[!"$&-\-0-:<->@-[\]-~][!"$&-.0-:<->@-[\]-~]*)*\/?$/;

/** Whatever is between here and the next slash, some parsers take for a host: `//host/path`. */
const SLASHES_IN_FRONT = /^[/\\]+/;

/**
 * Routes are matched with the path that the upstream will take this one for, so that `/public/../admin`,
 * `/%61dmin` and `/;x/admin` meet the middleware of `/admin`.
 */
function withPath(received: string, authority: string | null): Target | null {
  const query = received.indexOf('?');
  const receivedPath = query === -1 ? received : received.slice(0, query);
  const isNormal = NORMAL.test(receivedPath);
  if (!(isNormal && query === -1) && UNFIT.test(received)) return null;
  if (isNormal) return { origin: received, path: receivedPath, authority };

  const sentPath = withoutDotSegments(receivedPath.replace(SLASHES_IN_FRONT, '/'));
  const barePath = sentPath === null ? null : withoutParameters(sentPath);
  const path = barePath === null ? null : decodePath(barePath);
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
 * root, if it depends on the reader where they lead (nobody sends that by accident), or for broken escapes.
 */
function withoutDotSegments(path: string): string | null {
  const decoded = decodePath(path);
  if (decoded === null) return null;
  if (!DOT_SEGMENT.test(decoded)) return path;
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

const PARAMETERS = /;|%3b/i;

/** What some servers take for a slash. */
const LIKE_SLASH = /%2f|%5c|\\/i;

/**
 * Takes off what follows a semicolon in a segment (RFC 3986 §3.3), as servlet containers do. Null where an
 * escaped slash comes after it: whether that is part of the parameters depends on the reader.
 */
function withoutParameters(path: string): string | null {
  if (!PARAMETERS.test(path)) return path;
  const segments = path.split('/');
  for (const [index, segment] of segments.entries()) {
    const start = segment.search(PARAMETERS);
    if (start === -1) continue;
    if (LIKE_SLASH.test(segment.slice(start))) return null;
    segments[index] = segment.slice(0, start);
  }
  return segments.join('/');
}

/** Null for an encoded NUL or a broken escape. */
function decodePath(path: string): string | null {
  if (/%(?![0-9a-f]{2})|%00/i.test(path)) return null;
  const bytes = path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}
