import type { Case } from './mutate.ts';

/** The case with as little of its text and as few cuts as still fail, found by leaving out ever smaller parts. */
export async function smallest<C extends Case>(
  fuzzed: C,
  fails: (smaller: C) => Promise<boolean>,
): Promise<C> {
  let least = fuzzed;
  const adopt = async (smaller: C): Promise<boolean> => {
    if (!(await fails(smaller))) return false;
    least = smaller;
    return true;
  };
  await adopt({ ...least, cuts: [] });
  for (let chars = least.text.length >> 1; chars > 0; chars >>= 1) {
    for (let at = 0; at < least.text.length; ) {
      const text = least.text.slice(0, at) + least.text.slice(at + chars);
      if (!(await adopt({ ...least, text }))) at += chars;
    }
  }
  return least;
}
