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
  return parseTarget(escaped(written))?.path ?? null;
}

/** As clients send it: whatever is no visible character of ASCII, by its bytes. */
function escaped(written: string): string {
  const bytes = [...Buffer.from(written)];
  const hex = (byte: number) => `%${byte.toString(16).padStart(2, '0')}`;
  return bytes.map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hex(byte))).join('');
}

function mistakeIn(path: string | null): string {
  if (path === null) {
    return 'no request can have this path: it has a broken escape (write `%25` for `%`) or leads above the root';
  }
  const instead = encodeURI(path).replaceAll(/[?#]/g, encodeURIComponent);
  return `paths are matched without empty segments, dot segments and parameters: write \`${printable(instead)}\``;
}
