/** The files of TLS with clients, as they are read at the start, and again whenever they change. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { messageOf } from '#core/errors.ts';
import type { CertificateFiles, ServerTlsSettings } from '#core/settings.ts';
import type { TlsIdentity } from '#core/tls.ts';
import { readCertificates } from './ca-files.ts';
import type { Path } from './diagnostics.ts';
import { readTextFile } from './files.ts';

/** What is wrong with a file, in words that follow its name, and without anything that stands in it. */
export type FileProblem = { readonly key: 'cert_file' | 'key_file'; readonly problem: string };

/** A certificate with its key, fit for handshakes at this time; or why not. */
export function readIdentity(
  { certFile, keyFile }: CertificateFiles,
  wallMs: number,
): TlsIdentity | FileProblem {
  const read = readCertificates(certFile);
  if ('problem' in read) return { key: 'cert_file', problem: read.problem };
  const certificate = new X509Certificate(read.text);
  const outdated = problemWithTime(certificate, wallMs);
  if (outdated !== null) return { key: 'cert_file', problem: outdated };

  const key = readKey(keyFile);
  if ('problem' in key) return { key: 'key_file', problem: key.problem };
  if (!certificate.checkPrivateKey(key.object)) {
    return { key: 'key_file', problem: `it is not the key of the certificate in ${certFile}` };
  }
  const expiresMs = certificate.validToDate.getTime();
  const identity = { names: namesOf(certificate), expiresMs, cert: read.text, key: key.text };
  const unusable = problemWithUse(identity);
  return unusable === null ? identity : { key: 'cert_file', problem: unusable };
}

/** What is wrong with the certificates and keys that `server.tls` names. */
export function mistakesInCertificates(
  tls: ServerTlsSettings | null,
  wallMs: number,
): { path: Path; message: string }[] {
  return (tls?.certificates ?? []).flatMap((files, index) => {
    const path: Path = ['server', 'tls', 'certificates', index];
    const read = readIdentity(files, wallMs);
    if ('problem' in read) {
      return [{ path: [...path, read.key], message: `cannot use this file: ${read.problem}` }];
    }
    if (index === 0 || read.names.length > 0) return [];
    const message =
      'cannot use this file: its certificate names no host (subjectAltName), so no client would get it';
    return [{ path: [...path, 'cert_file'], message }];
  });
}

function problemWithTime({ validFromDate, validToDate }: X509Certificate, wallMs: number): string | null {
  if (validToDate.getTime() <= wallMs) return `its certificate expired at ${validToDate.toISOString()}`;
  if (validFromDate.getTime() > wallMs)
    return `its certificate is not valid before ${validFromDate.toISOString()}`;
  return null;
}

function readKey(file: string): { text: string; object: KeyObject } | { problem: string } {
  const read = readTextFile(file);
  if ('problem' in read) return read;
  try {
    return { text: read.text, object: createPrivateKey(read.text) };
  } catch {
    return {
      problem: read.text.includes('ENCRYPTED')
        ? 'its key is encrypted with a passphrase; store it without one'
        : 'it has no PEM private key in it that can be read',
    };
  }
}

/** What OpenSSL alone knows, such as that a key is too short for its security level. */
function problemWithUse({ cert, key }: Pick<TlsIdentity, 'cert' | 'key'>): string | null {
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    return `OpenSSL will not use it (${messageOf(error)})`;
  }
}

const DNS_NAME = /^DNS:((?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*)$/i;

/** Host names of the certificate, lower case; a client cannot ask for an address (RFC 6066 §3). */
function namesOf({ subjectAltName }: X509Certificate): string[] {
  return (subjectAltName ?? '').split(', ').flatMap((entry) => {
    const [, name] = DNS_NAME.exec(entry) ?? [];
    return name === undefined ? [] : [name.toLowerCase()];
  });
}
