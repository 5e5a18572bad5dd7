/**
 * The same text by itself. What was cut out of a longer one keeps all of that in memory, a whole head for a host's name:
 * what stays for longer than the request is kept like this.
 */
export function ownText(text: string): string {
  // To cut from it, what was put together is written out as a whole; only that is kept then.
  return ` ${text}`.slice(1);
}
