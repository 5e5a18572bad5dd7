import { withoutBlanks } from '#core/blanks.ts';
import { lowerCased } from '#core/header-names.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { FramingFault } from './faults.ts';

/** What the fields of one head say of its message and its connection. */
export type ControlFields = {
  /** Of the body, as declared; null where it is not. */
  readonly lengthBytes: number | null;
  readonly isChunked: boolean;
  /** Why its fields frame no message, or null. */
  readonly fault: FramingFault | null;
  /** `Connection: close`. */
  readonly closes: boolean;
  /** `Connection: keep-alive`, which HTTP/1.0 has to say. */
  readonly keepsAlive: boolean;
  /** What `Keep-Alive` says of the time that an idle connection has, or null. */
  readonly keepAliveSeconds: number | null;
  /** The protocols of `Upgrade`, lower case, if `Connection` names it; else null. */
  readonly upgrade: string | null;
  /** `Expect: 100-continue`. */
  readonly expectsContinue: boolean;
};

const DIGITS = /^[0-9]{1,16}$/;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\t ])timeout=([0-9]{1,9})(?:$|[,;\t ])/i;

type Found = { -readonly [Key in keyof ControlFields]: ControlFields[Key] };

/** Reads a head for its control fields: one pass, in which most fields are passed by for their length. */
export function readControlFields(headers: FlatHeaders): ControlFields {
  const found: Found = {
    lengthBytes: null,
    isChunked: false,
    fault: null,
    closes: false,
    keepsAlive: false,
    keepAliveSeconds: null,
    upgrade: null,
    expectsContinue: false,
  };
  let namesUpgrade = false;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!LENGTHS.has(name.length)) continue;
    const value = headers[at + 1] as string;
    switch (lowerCased(name)) {
      case 'content-length':
        readLength(found, value);
        break;
      case 'transfer-encoding':
        readCoding(found, value);
        break;
      case 'connection':
        namesUpgrade = readConnection(found, value) || namesUpgrade;
        break;
      case 'keep-alive':
        found.keepAliveSeconds = readSeconds(value);
        break;
      case 'upgrade':
        found.upgrade = found.upgrade === null ? value.toLowerCase() : `${found.upgrade}, ${value}`;
        break;
      case 'expect':
        found.expectsContinue = value.toLowerCase() === '100-continue';
        break;
    }
  }
  if (!namesUpgrade) found.upgrade = null;
  if (found.lengthBytes !== null && found.isChunked) found.fault ??= 'length_and_coding';
  return found;
}

/** Of the names above. */
const LENGTHS: ReadonlySet<number> = new Set(
  ['content-length', 'transfer-encoding', 'connection', 'upgrade', 'expect'].map((name) => name.length),
);

/** One, of digits only: also the same length twice is more than anybody sends by accident. */
function readLength(found: Found, value: string): void {
  const bytes = DIGITS.test(value) ? Number(value) : Number.NaN;
  if (found.lengthBytes !== null) found.fault ??= 'several_lengths';
  if (!Number.isSafeInteger(bytes)) found.fault ??= 'bad_length';
  found.lengthBytes = bytes;
}

function readCoding(found: Found, value: string): void {
  if (found.isChunked || value.toLowerCase() !== 'chunked') found.fault ??= 'unsupported_coding';
  found.isChunked = true;
}

/** Whether it names `upgrade`. */
function readConnection(found: Found, value: string): boolean {
  if (value === 'close') found.closes = true;
  else if (value === 'keep-alive') found.keepsAlive = true;
  else {
    const options = value.toLowerCase().split(',');
    found.closes ||= hasOption(options, 'close');
    found.keepsAlive ||= hasOption(options, 'keep-alive');
    return hasOption(options, 'upgrade');
  }
  return false;
}

function hasOption(options: readonly string[], wanted: string): boolean {
  return options.some((option) => withoutBlanks(option) === wanted);
}

function readSeconds(value: string): number | null {
  const seconds = KEEP_ALIVE_TIMEOUT.exec(value)?.[1];
  return seconds === undefined ? null : Number(seconds);
}
