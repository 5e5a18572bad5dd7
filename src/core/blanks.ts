const SP = 0x20;
const HTAB = 0x09;

/**
 * Without the optional white space around it (RFC 9110 §5.6.3): spaces and tabs. `trim` would take off more, such as
 * a no-break space, which is a part of the value to everybody else.
 */
export function withoutBlanks(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

function isBlank(code: number): boolean {
  return code === SP || code === HTAB;
}
