import assert from 'node:assert/strict';
import { basename, dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { createAuthority } from '#test/support/certificates.ts';
import { load, mistakesIn, UPSTREAMS, writeBeside } from './support.ts';

/** What is wrong with `server.tls`, each after where it stands, with files named as in the configuration. */
function mistakes(tls: string): string[] {
  const folder = dirname(writeBeside('nothing', ''));
  return mistakesIn(`${UPSTREAMS}server: {tls: ${tls}}`).map((line) => line.replaceAll(`${folder}/`, ''));
}

const pair = (cert: string, key: string) => `{cert_file: ${cert}, key_file: ${key}}`;

describe('server.tls', () => {
  it('has certificates from files beside the configuration', (t) => {
    const { cert, key } = createAuthority(t).issue('DNS:one.example');
    const file = writeBeside('one.pem', cert);
    writeBeside('one.key', key);
    const { settings } = load(
      `${UPSTREAMS}server: {tls: {listen_port: 8443, certificates: [${pair('one.pem', 'one.key')}]}}`,
    );
    assert.deepEqual(settings.server.tls, {
      port: 8443,
      certificates: [{ certFile: file, keyFile: join(dirname(file), 'one.key') }],
      minVersion: 'TLSv1.2',
      http2StreamsMax: 100,
      clientCertificates: null,
    });
    assert.equal(basename(file), 'one.pem');
  });

  it('says of each file that cannot be used where it is named, and why', (t) => {
    const authority = createAuthority(t);
    const [one, two, old] = [
      authority.issue('DNS:one.example'),
      authority.issue('DNS:two.example'),
      authority.issue('DNS:old.example', -1),
    ];
    writeBeside('one.pem', one.cert);
    writeBeside('one.key', one.key);
    writeBeside('two.key', two.key);
    writeBeside('old.pem', old.cert);
    writeBeside('old.key', old.key);
    writeBeside('nameless.pem', authority.issue('IP:127.0.0.1').cert);
    writeBeside(
      'locked.key',
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    const found = mistakes(
      `{certificates: [${[
        pair('none.pem', 'one.key'),
        pair('one.key', 'one.key'),
        pair('one.pem', 'two.key'),
        pair('one.pem', 'one.pem'),
        pair('one.pem', 'locked.key'),
        pair('old.pem', 'old.key'),
      ].join(', ')}]}`,
    ).map((line) => line.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/, 'THEN'));
    const unusable = (at: string, key: string) =>
      `${at}: server.tls.certificates${key}: cannot use this file:`;
    assert.deepEqual(found, [
      `${unusable('2:43', '[0].cert_file')} there is no such file`,
      `${unusable('2:85', '[1].cert_file')} it has no PEM certificate in it`,
      `${unusable('2:145', '[2].key_file')} it is not the key of the certificate in one.pem`,
      `${unusable('2:186', '[3].key_file')} it has no PEM private key in it that can be read`,
      `${unusable('2:227', '[4].key_file')} its key is encrypted with a passphrase; store it without one`,
      `${unusable('2:252', '[5].cert_file')} its certificate expired at THEN`,
    ]);
  });

  it('wants names in every certificate but the first, which is for everyone', (t) => {
    const authority = createAuthority(t);
    for (const name of ['first', 'second']) {
      const { cert, key } = authority.issue('IP:127.0.0.1');
      writeBeside(`${name}.pem`, cert);
      writeBeside(`${name}.key`, key);
    }
    const tls = `{certificates: [${pair('first.pem', 'first.key')}, ${pair('second.pem', 'second.key')}]}`;
    assert.deepEqual(mistakes(tls), [
      '2:88: server.tls.certificates[1].cert_file: cannot use this file: its certificate names no host (subjectAltName), so no client would get it',
    ]);
  });

  it('wants a port of its own', (t) => {
    const { cert, key } = createAuthority(t).issue('DNS:one.example');
    writeBeside('port.pem', cert);
    writeBeside('port.key', key);
    const certificates = `certificates: [${pair('port.pem', 'port.key')}]`;
    assert.deepEqual(mistakes(`{listen_port: 8080, ${certificates}}`), [
      '2:29: server.tls.listen_port: found 8080: `server.listen_port` is the same port; leave this one out to speak nothing but TLS there',
    ]);
    assert.deepEqual(mistakes(`{listen_port: 9901, ${certificates}}`), [
      '2:29: server.tls.listen_port: found 9901: `admin.listen` has the same port; give each listener its own',
    ]);
  });

  it('wants to know whom to believe of clients', (t) => {
    const { cert, key } = createAuthority(t).issue('DNS:one.example');
    writeBeside('ca-of-clients.pem', cert);
    writeBeside('ca-of-clients.key', key);
    const certificates = `certificates: [${pair('ca-of-clients.pem', 'ca-of-clients.key')}]`;
    assert.deepEqual(mistakes(`{${certificates}, client_certificates: {ca_file: none.pem}}`), [
      '2:124: server.tls.client_certificates.ca_file: cannot use this file: there is no such file',
    ]);
  });
});
