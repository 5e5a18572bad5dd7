import { resolve } from 'node:path';
import type { Path } from './diagnostics.ts';
import { readTextFile } from './files.ts';
import type { Config } from './schema.ts';

const SECTION: Path = ['cluster', 'nats'];

/** What is wrong with the files that `cluster.nats` names, beside `ca_file`; relative names start at `folder`. */
export function mistakesInBusFiles({ cluster }: Config, folder: string): { path: Path; message: string }[] {
  const { credentials_file, tls } = cluster?.nats ?? {};
  const files: [path: Path, name: string | undefined][] = [
    [['credentials_file'], credentials_file],
    [['tls', 'cert_file'], tls?.cert_file],
    [['tls', 'key_file'], tls?.key_file],
  ];
  return files.flatMap(([path, name]) => {
    const read = name === undefined ? null : readTextFile(resolve(folder, name));
    if (read === null || !('problem' in read)) return [];
    return [{ path: [...SECTION, ...path], message: `cannot use this file: ${read.problem}` }];
  });
}
