import { randomBytes } from 'node:crypto';
import { type BigIntStats, statSync } from 'node:fs';
import { readCertificates } from '#config/ca-files.ts';
import { readIdentity } from '#config/certificate-files.ts';
import type { Clock, Timer } from '#core/clock.ts';
import { codeOf, SignalboxError } from '#core/errors.ts';
import type { CertificateFiles, ServerTlsSettings } from '#core/settings.ts';
import type { TlsIdentity, TlsMaterial } from '#core/tls.ts';
import type { Log } from '#telemetry/log.ts';

/** How often files are looked at: a change is taken up within so long. */
export const LOOK_MS = 2_000;

/** As OpenSSL's tickets need them: a name and two keys. */
const TICKET_KEYS_BYTES = 48;

type Read<T> = { readonly value: T } | { readonly file: string; readonly problem: string };

/** What was read of some files, and what tells whether they have changed since. */
type Kept<T> = {
  readonly files: readonly string[];
  readonly read: () => Read<T>;
  mark: string;
  value: T;
};

/**
 * The certificates of this instance, from files that may be replaced at any time: by certbot, or as secrets of
 * Kubernetes, which are links that move, so it is what they lead to that is looked at. What cannot be used changes
 * nothing, and the log says what and where.
 */
export class Certificates implements Disposable {
  readonly #identities: readonly Kept<TlsIdentity>[];
  readonly #clientCa: Kept<string> | null;
  readonly #clock: Clock;
  readonly #log: Log;
  #material: TlsMaterial;
  #onChange: (material: TlsMaterial) => void = () => {};
  #timer: Timer | null = null;

  /** Throws a SignalboxError if a file cannot be used. */
  constructor(settings: ServerTlsSettings, clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
    this.#identities = settings.certificates.map((files) =>
      keep(filesOf(files), () => readPair(files, clock)),
    );
    const caFile = settings.clientCertificates?.caFile;
    this.#clientCa = caFile === undefined ? null : keep([caFile], () => readClientCa(caFile));
    this.#material = this.#gather();
  }

  /** As it is now. */
  get material(): TlsMaterial {
    return this.#material;
  }

  /** When each certificate expires, by its file; wall clock, milliseconds. */
  get expiries(): ReadonlyMap<string, number> {
    return new Map(this.#identities.map(({ files, value }) => [files[0] ?? '', value.expiresMs]));
  }

  /** Looks for changes from now on. */
  watch(onChange: (material: TlsMaterial) => void): void {
    this.#onChange = onChange;
    this.#lookLater();
  }

  [Symbol.dispose](): void {
    this.#timer?.cancel();
  }

  #lookLater(): void {
    this.#timer = this.#clock.after(LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const kept: Kept<unknown>[] = [...this.#identities];
    if (this.#clientCa !== null) kept.push(this.#clientCa);
    // Each of them is looked at, whatever came of the others.
    const renewed = kept.filter((each) => this.#renew(each));
    if (renewed.length === 0) return;
    this.#material = this.#gather();
    this.#onChange(this.#material);
  }

  /** Whether the files have changed, and are of use. */
  #renew(kept: Kept<unknown>): boolean {
    const mark = markOf(kept.files);
    if (mark === kept.mark) return false;
    kept.mark = mark;
    const found = kept.read();
    if ('problem' in found) {
      const { file, problem } = found;
      this.#log.error(
        { file, problem },
        'certificate not renewed: this file cannot be used, the old one stays',
      );
      return false;
    }
    kept.value = found.value;
    this.#log.info({ files: kept.files }, 'certificate renewed');
    return true;
  }

  #gather(): TlsMaterial {
    return {
      identities: this.#identities.map(({ value }) => value),
      clientCa: this.#clientCa?.value ?? null,
      // New ones, too: what a client has proven to older authorities is not to be resumed.
      ticketKeys: randomBytes(TICKET_KEYS_BYTES),
    };
  }
}

function filesOf({ certFile, keyFile }: CertificateFiles): string[] {
  return [certFile, keyFile];
}

function readPair(files: CertificateFiles, clock: Clock): Read<TlsIdentity> {
  const read = readIdentity(files, clock.wallMs());
  if (!('problem' in read)) return { value: read };
  return { file: read.key === 'key_file' ? files.keyFile : files.certFile, problem: read.problem };
}

function readClientCa(file: string): Read<string> {
  const read = readCertificates(file);
  return 'problem' in read ? { file, problem: read.problem } : { value: read.text };
}

/** The mark is from before the reading: what changes in between is read again. */
function keep<T>(files: readonly string[], read: () => Read<T>): Kept<T> {
  const mark = markOf(files);
  const found = read();
  if ('problem' in found) {
    const message = `${found.file} cannot be used: ${found.problem}`;
    throw new SignalboxError('certificate_unusable', 'operator', message);
  }
  return { files, read, mark, value: found.value };
}

function markOf(files: readonly string[]): string {
  return files.map(markOfFile).join();
}

function markOfFile(file: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs }: BigIntStats = statSync(file, { bigint: true });
    return `${ino}:${size}:${mtimeNs}:${ctimeNs}`;
  } catch (error) {
    return codeOf(error);
  }
}
