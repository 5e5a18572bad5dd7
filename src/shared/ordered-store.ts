/**
 * Stores a number behind everything that this thread has stored before, for who reads it in another thread. x86 keeps
 * stores in their order by itself, and an atomic one waits there until all before it are done, which costs more than
 * they do.
 */
export const storeInOrder: (words: Int32Array, at: number, value: number) => void =
  process.arch === 'x64'
    ? (words, at, value) => {
        words[at] = value;
      }
    : (words, at, value) => {
        Atomics.store(words, at, value);
      };
