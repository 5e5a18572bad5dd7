/** Certificates for tests, made by openssl in a folder that goes away with the test. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** PEM texts, as node:tls takes them. */
export type Identity = { readonly key: string; readonly cert: string };

export type Authority = {
  /** The authority's own certificate, PEM. */
  readonly pem: string;
  /** A certificate for names such as `DNS:one.example,IP:127.0.0.1`; with days below 0 it has expired. */
  issue(names: string, days?: number, commonName?: string): Identity;
};

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** A certificate authority that nobody else knows. */
export function createAuthority(t: { after(clean: () => void): void }): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const read = (name: string) => readFileSync(file(name), 'utf8');

  openssl('req', '-x509', ...KEY, '-subj', '/CN=Test CA', '-keyout', file('ca.key'), '-out', file('ca.pem'));
  return {
    pem: read('ca.pem'),
    issue(names, days = 2, commonName = 'Test') {
      writeFileSync(file('names'), `subjectAltName=${names}`);
      openssl('req', ...KEY, '-subj', `/CN=${commonName}`, '-keyout', file('key'), '-out', file('request'));
      const signer = ['-CA', file('ca.pem'), '-CAkey', file('ca.key'), '-CAcreateserial'];
      const about = ['-days', `${days}`, '-extfile', file('names')];
      openssl('x509', '-req', '-in', file('request'), ...signer, ...about, '-out', file('cert'));
      return { key: read('key'), cert: read('cert') };
    },
  };
}

/** Files of an identity in a folder that goes away with the test: what they are called, and how to replace them. */
export function identityFiles(t: { after(clean: () => void): void }, identity: Identity) {
  const folder = mkdtempSync(join(tmpdir(), 'signalbox-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const certFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'key.pem');
  const write = ({ cert, key }: Identity) => {
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key);
  };
  write(identity);
  return { folder, certFile, keyFile, write };
}
