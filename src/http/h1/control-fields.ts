import { withoutBlanks } from '#core/blanks.ts';
import { fieldName } from '#core/field-names.ts';
import { CONTROLS, type Fields } from '#core/fields.ts';
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

/** Of a length, zeros in front included. */
const DIGITS_MAX = 16;
const ZERO = 0x30;
const KEEP_ALIVE_TIMEOUT = /(?:^|[,;\t ])timeout=([0-9]{1,9})(?:$|[,;\t ])/i;

type Found = { -readonly [Key in keyof ControlFields]: ControlFields[Key] };

/** What most requests say: nothing. */
const NONE: ControlFields = nothingFound();

function nothingFound(): Found {
  return {
    lengthBytes: null,
    isChunked: false,
    fault: null,
    closes: false,
    keepsAlive: false,
    keepAliveSeconds: null,
    upgrade: null,
    expectsContinue: false,
  };
}

const CONNECTION = fieldName('connection').number;
const CONTENT_LENGTH = fieldName('content-length').number;
const EXPECT = fieldName('expect').number;
const KEEP_ALIVE = fieldName('keep-alive').number;
const TRANSFER_ENCODING = fieldName('transfer-encoding').number;
const UPGRADE = fieldName('upgrade').number;

/** Reads a head for its control fields. */
export function readControlFields(fields: Fields): ControlFields {
  if (fields.isPlain) return fields.declaredLength === null ? NONE : ofLength(fields.declaredLength);
  let found: Found | null = null;
  let namesUpgrade = false;
  for (let at = fields.findOf(CONTROLS); at !== -1; at = fields.findOf(CONTROLS, at + 1)) {
    found ??= nothingFound();
    const value = fields.valueAt(at);
    switch (fields.numberAt(at)) {
      case CONTENT_LENGTH:
        readLength(found, value);
        break;
      case TRANSFER_ENCODING:
        readCoding(found, value);
        break;
      case CONNECTION:
        namesUpgrade = readConnection(found, value) || namesUpgrade;
        break;
      case KEEP_ALIVE:
        found.keepAliveSeconds = readSeconds(value);
        break;
      case UPGRADE:
        found.upgrade = found.upgrade === null ? value.toLowerCase() : `${found.upgrade}, ${value}`;
        break;
      case EXPECT:
        found.expectsContinue = value.toLowerCase() === '100-continue';
        break;
    }
  }
  if (found === null) return NONE;
  if (!namesUpgrade) found.upgrade = null;
  if (found.lengthBytes !== null && found.isChunked) found.fault ??= 'length_and_coding';
  return found;
}

function ofLength(declared: string): ControlFields {
  const found = nothingFound();
  readLength(found, declared);
  return found;
}

/** One, of digits only: also the same length twice is more than anybody sends by accident. */
function readLength(found: Found, value: string): void {
  const bytes = declaredBytes(value);
  if (found.lengthBytes !== null) found.fault ??= 'several_lengths';
  if (!Number.isSafeInteger(bytes)) found.fault ??= 'bad_length';
  found.lengthBytes = bytes;
}

/** What `Content-Length` says; NaN where that is no number that can be counted with. */
export function declaredBytes(value: string): number {
  if (value.length === 0 || value.length > DIGITS_MAX) return Number.NaN;
  let bytes = 0;
  for (let at = 0; at < value.length; at++) {
    const digit = value.charCodeAt(at) - ZERO;
    if (digit < 0 || digit > 9) return Number.NaN;
    bytes = bytes * 10 + digit;
  }
  return bytes;
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
