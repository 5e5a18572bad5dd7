import { z } from 'zod';
import { parseTarget } from '#core/target.ts';
import { printable } from '../diagnostics.ts';
import { expecting } from './section.ts';

/** A path as people write it, escaped or not → as routes see it. What no request can have is a mistake. */
export const PathPrefix = expecting(
  z
    .string()
    .regex(/^\/[^\p{Cc}?#]{0,1023}$/u)
    .transform((prefix, context) => {
      const plain = decoded(prefix);
      const path = plain === null ? null : pathOf(prefix);
      if (path !== null && path === plain) return path;
      context.addIssue({ code: 'custom', message: mistakeIn(path) });
      return z.NEVER;
    }),
  'a path that starts with `/`, without query',
);

function decoded(written: string): string | null {
  try {
    return decodeURIComponent(written);
  } catch {
    return null;
  }
}

/** The path of a request for `written`; null where there can be none. */
function pathOf(written: string): string | null {
  const bytes = Buffer.from(written.replaceAll(' ', '%20')).toString('latin1');
  return parseTarget(bytes)?.path ?? null;
}

function mistakeIn(path: string | null): string {
  if (path === null) {
    return 'no request can have this path: it has a broken escape (write `%25` for `%`) or leads above the root';
  }
  const instead = encodeURI(path).replaceAll(/[?#]/g, encodeURIComponent);
  return `paths are matched without empty segments, dot segments and parameters: write \`${printable(instead)}\``;
}
