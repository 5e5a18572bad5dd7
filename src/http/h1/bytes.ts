/** Classes of bytes in HTTP/1.1, as tables: one look a byte, no regular expressions. */

export const HTAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const DQUOTE = 0x22;
export const COLON = 0x3a;
export const SEMICOLON = 0x3b;
export const BACKSLASH = 0x5c;

const CODES = 256;

function tableOf(isMember: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: CODES }, (_, code) => (isMember(code) ? 1 : 0));
}

const TOKEN_CHARACTERS = /[!#$%&'*+.^_`|~0-9A-Za-z-]/;

/** `tchar` (RFC 9110 §5.6.2): names of fields, and methods. */
export const TOKEN = tableOf((code) => TOKEN_CHARACTERS.test(String.fromCharCode(code)));

/** What a field value or a reason phrase may hold: tab, space, visible and obs-text (RFC 9110 §5.5). */
export const TEXT = tableOf((code) => code === HTAB || (code >= SP && code !== 0x7f));

/** A request target's characters. Those beyond ASCII are no URI's, but are sent, and pass as they are. */
export const TARGET = tableOf((code) => code > SP && code !== 0x7f);

/** Value of a hexadecimal digit, or -1. */
export const HEX = Int8Array.from({ length: CODES }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
});
