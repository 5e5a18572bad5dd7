/**
 * The same text by itself. What was cut out of a longer one keeps all of that in memory, a whole head for a host's name:
 * what stays for longer than the request is kept like this.
 */
export function ownText(text: string): string {
  // To cut from it, what was put together is written out as a whole; only that is kept then.
  return ` ${text}`.slice(1);
}

/**
 * As `ownText`, for what is used often: interned by V8, as the names of properties are, so that there is one string of
 * these characters in the thread. Two of these are told apart by where they are, in place of 400 instructions for what
 * was cut out of a head; and a part would cost a third more each time that what it stands in is written out. Takes 2000
 * instructions to make.
 */
export function interned(text: string): string {
  // Without a prototype, no name is special, and no shape is made for it.
  const names: Record<string, null> = Object.create(null);
  names[text] = null;
  return Object.keys(names)[0] as string;
}
