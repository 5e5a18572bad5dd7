import { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import type { Path } from './diagnostics.ts';
import { readTextFile } from './files.ts';
import { schemaAt } from './walk.ts';

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

export type CaFiles = {
  /** What is in each file, by the name that the configuration gives it. */
  readonly pemByName: ReadonlyMap<string, string>;
  readonly mistakes: readonly { readonly path: Path; readonly message: string }[];
};

/** Reads every `ca_file` that the data names; relative names start at `folder`. */
export function readCaFiles(data: unknown, folder: string): CaFiles {
  const pemByName = new Map<string, string>();
  const mistakes: { path: Path; message: string }[] = [];
  const visit = (value: unknown, path: Path): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      const childPath = [...path, Array.isArray(value) ? Number(key) : key];
      if (key !== 'ca_file' || typeof child !== 'string' || schemaAt(childPath) === null)
        visit(child, childPath);
      else if (!pemByName.has(child)) {
        const read = readCertificates(resolve(folder, child));
        if ('problem' in read)
          mistakes.push({ path: childPath, message: `cannot use this file: ${read.problem}` });
        else pemByName.set(child, read.text);
      }
    }
  };
  visit(data, []);
  return { pemByName, mistakes };
}

/** The text of a file of PEM certificates, all of them sound, or what is wrong with it. */
export function readCertificates(file: string): ReturnType<typeof readTextFile> {
  const read = readTextFile(file);
  if ('problem' in read) return read;
  const certificates = read.text.match(CERTIFICATE) ?? [];
  if (certificates.length === 0) return { problem: 'it has no PEM certificate in it' };
  const broken = certificates.findIndex((pem) => !isCertificate(pem));
  return broken === -1 ? read : { problem: `its certificate number ${broken + 1} is malformed` };
}

function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    return false;
  }
}
