import { resolve } from 'node:path';
import type { Path } from './diagnostics.ts';
import { readTextFile } from './files.ts';
import type { Config } from './schema.ts';

const PATH: Path = ['accounts', 'password', 'denylist_file'];

export type Denylist = {
  readonly passwords: readonly string[];
  readonly mistakes: readonly { readonly path: Path; readonly message: string }[];
};

/** Reads `accounts.password.denylist_file`, if there is one; a relative name starts at `folder`. */
export function readDenylist(config: Config, folder: string): Denylist {
  const name = config.accounts?.password.denylist_file;
  if (name === undefined) return { passwords: [], mistakes: [] };
  const read = readTextFile(resolve(folder, name));
  if ('problem' in read) {
    return { passwords: [], mistakes: [{ path: PATH, message: `cannot use this file: ${read.problem}` }] };
  }
  return { passwords: read.text.split(/\r?\n/).filter((line) => line !== ''), mistakes: [] };
}
