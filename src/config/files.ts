import { closeSync, openSync, readSync } from 'node:fs';
import { codeOf } from '#core/errors.ts';

/** Of a configuration, and of each file that it names. */
const FILE_BYTES_MAX = 1_048_576;

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read by this user',
  EISDIR: 'it is a folder, not a file',
};

/** The text of a UTF-8 file of at most 1 MiB, or what is wrong with it, in words that follow its name. */
export function readTextFile(file: string): { readonly text: string } | { readonly problem: string } {
  try {
    const bytes = readBytes(file);
    if (bytes.length > FILE_BYTES_MAX) return { problem: `it is longer than ${FILE_BYTES_MAX} bytes` };
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return { problem: 'it is not UTF-8' };
    return { problem: PROBLEMS[code] ?? `it cannot be read (${code})` };
  }
}

/** At most one byte more than allowed, also of pipes and devices, which have no size to ask for. */
function readBytes(file: string): Buffer {
  const buffer = Buffer.alloc(FILE_BYTES_MAX + 1);
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    for (;;) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null);
      length += read;
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length);
    }
  } finally {
    closeSync(descriptor);
  }
}
