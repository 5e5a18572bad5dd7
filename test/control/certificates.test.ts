import assert from 'node:assert/strict';
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Certificates, LOOK_MS } from '#control/certificates.ts';
import type { TlsMaterial } from '#core/tls.ts';
import { createAuthority, type Identity, identityFiles } from '#test/support/certificates.ts';
import { keptLog } from '#test/support/log.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const SETTINGS = { port: null, minVersion: 'TLSv1.2', clientCertificates: null, http2StreamsMax: 0 } as const;

function scene(t: TestContext) {
  const authority = createAuthority(t);
  const first = authority.issue('DNS:one.example');
  const files = identityFiles(t, first);
  const clock = new VirtualClock();
  // An hour more than openssl issues certificates from.
  clock.step(Date.now() + 3_600_000 - clock.wallMs());
  const { log, lines } = keptLog();
  const changes: TlsMaterial[] = [];
  const follow = (certificates: Certificates) => {
    t.after(() => certificates[Symbol.dispose]());
    certificates.watch((material) => changes.push(material));
    return certificates;
  };
  const look = () => clock.advance(LOOK_MS);
  return { authority, first, files, clock, log, lines, changes, follow, look };
}

const certsOf = ({ identities }: TlsMaterial) => identities.map(({ cert }) => cert);

describe('the certificates of an instance', () => {
  it('are renewed when their files are replaced, with new keys for tickets', (t) => {
    const { authority, first, files, clock, log, changes, follow, look } = scene(t);
    const certificates = follow(new Certificates({ ...SETTINGS, certificates: [files] }, clock, log));
    const { ticketKeys } = certificates.material;
    assert.deepEqual(certsOf(certificates.material), [first.cert]);
    look();
    assert.equal(changes.length, 0, 'nothing has changed');

    const second = authority.issue('DNS:one.example,DNS:two.example');
    files.write(second);
    look();
    assert.equal(changes.length, 1);
    assert.equal(certificates.material, changes[0]);
    const [{ names, cert, key, expiresMs } = assert.fail()] = certificates.material.identities;
    assert.deepEqual({ names, cert, key }, { ...second, names: ['one.example', 'two.example'] });
    // It is issued for two days.
    assert.ok(Math.abs(expiresMs - Date.now() - 2 * 86_400_000) < 60_000);
    assert.deepEqual([...certificates.expiries], [[files.certFile, expiresMs]]);
    assert.notDeepEqual(certificates.material.ticketKeys, ticketKeys);
  });

  it('stay as they are when a file cannot be used, which is told once, without the key', (t) => {
    const { authority, first, files, clock, log, lines, changes, follow, look } = scene(t);
    const certificates = follow(new Certificates({ ...SETTINGS, certificates: [files] }, clock, log));
    const other = authority.issue('DNS:one.example');
    writeFileSync(files.keyFile, other.key);
    look();
    look();
    assert.deepEqual([certsOf(certificates.material), changes], [[first.cert], []]);
    const told = lines.map((line) => JSON.parse(line)).map(({ file, problem }) => ({ file, problem }));
    const problem = `it is not the key of the certificate in ${files.certFile}`;
    assert.deepEqual(told, [{ file: files.keyFile, problem }]);
    assert.ok(!lines.join('').includes('PRIVATE KEY'));

    writeFileSync(files.certFile, other.cert);
    look();
    assert.deepEqual(certsOf(certificates.material), [other.cert]);
  });

  it('are renewed one by one: what is wrong with one is no matter of the others', (t) => {
    const { authority, first, files, clock, log, changes, follow, look } = scene(t);
    const two = identityFiles(t, authority.issue('DNS:two.example'));
    const settings = { ...SETTINGS, certificates: [files, two] };
    const certificates = follow(new Certificates(settings, clock, log));
    writeFileSync(files.certFile, 'nothing');
    const renewed = authority.issue('DNS:two.example');
    two.write(renewed);
    look();
    assert.equal(changes.length, 1);
    assert.deepEqual(certsOf(certificates.material), [first.cert, renewed.cert]);
  });

  it('are renewed when a link on their way leads elsewhere, as Kubernetes does it', (t) => {
    const { authority, first, files, clock, log, follow, look } = scene(t);
    const { folder } = files;
    const fill = (name: string, { cert, key }: Identity) => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'tls.crt'), cert);
      writeFileSync(join(folder, name, 'tls.key'), key);
    };
    fill('..2026_01', first);
    symlinkSync('..2026_01', join(folder, '..data'));
    const mounted = { certFile: join(folder, '..data/tls.crt'), keyFile: join(folder, '..data/tls.key') };
    const certificates = follow(new Certificates({ ...SETTINGS, certificates: [mounted] }, clock, log));
    const second = authority.issue('DNS:one.example');
    fill('..2026_02', second);
    symlinkSync('..2026_02', join(folder, '..data_tmp'));
    renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    look();
    assert.deepEqual(certsOf(certificates.material), [second.cert]);
  });

  it('come with the authorities of clients, which are renewed as well', (t) => {
    const { authority, files, clock, log, follow, look } = scene(t);
    const caFile = join(files.folder, 'ca.pem');
    writeFileSync(caFile, authority.pem);
    const clientCertificates = { isRequired: true, caFile };
    const certificates = follow(
      new Certificates({ ...SETTINGS, certificates: [files], clientCertificates }, clock, log),
    );
    assert.equal(certificates.material.clientCa, authority.pem);
    const other = createAuthority(t).pem;
    writeFileSync(caFile, other);
    look();
    assert.equal(certificates.material.clientCa, other);
  });

  it('stop an instance that starts without one that can be used', (t) => {
    const { files, clock, log } = scene(t);
    writeFileSync(files.certFile, '');
    assert.throws(() => new Certificates({ ...SETTINGS, certificates: [files] }, clock, log), {
      code: 'certificate_unusable',
      message: `${files.certFile} cannot be used: it has no PEM certificate in it`,
    });
  });
});
