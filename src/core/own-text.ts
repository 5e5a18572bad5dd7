/**
 * The same text by itself. What was cut out of a longer one keeps all of that in memory, a whole head for a host's name:
 * what stays for longer than the request is kept like this.
 */
export function ownText(text: string): string {
  // To cut from it, what was put together is written out as a whole; only that is kept then.
  return ` ${text}`.slice(1);
}

/**
 * As `ownText`, for what is used often: not a part of a text, which costs a third more each time that what it stands in
 * is written out, but the one string of the thread with these characters, if all others were made so. Two of these are
 * told apart by where they are, in place of 400 instructions for what was cut out of a head. Takes 2000 to make.
 */
export function wholeText(text: string): string {
  // Of the names of properties there is one each. Without a prototype, no name is special, and no shape is made for it.
  const names: Record<string, null> = Object.create(null);
  names[text] = null;
  return Object.keys(names)[0] as string;
}
