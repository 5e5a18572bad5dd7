import { REASON_PHRASES } from '#core/reason-phrases.ts';
import { SP, TARGET, TOKEN } from './bytes.ts';
import type { HeadFault } from './faults.ts';
import type { StartLine } from './head-parser.ts';
import { knownRequest, learnRequest, type SaidRequest } from './known-request-lines.ts';

/** The minor version of HTTP/1. */
export type Minor = 0 | 1;

const ZERO = 0x30;
const PREFIX = Buffer.from('HTTP/');
/** `HTTP`, `/1.1` and `/1.0` as words, the first byte the lowest. */
const HTTP = 0x50545448;
const VERSION_1_1 = 0x312e312f;
const VERSION_1_0 = 0x302e312f;
const SLASH = 0x2f;
const DOT = 0x2e;
/** `HTTP/1.1` */
const VERSION_BYTES = 8;
const STATUS_BYTES = 3;
const STATUS_MIN = 100;

/** `HTTP/1.1 200 OK` (RFC 9112 §4). The space before an empty reason may be missing, as it often is. */
export class StatusLine implements StartLine {
  readonly skipsEmptyLines = false;
  minor: Minor = 1;
  /** 100 to 999: what is beyond 599 means nothing, but is used. */
  status = 0;
  reason = '';

  check(bytes: Buffer, from: number, to: number): HeadFault | null {
    for (let at = 0; at < PREFIX.length && from + at < to; at++) {
      if (bytes[from + at] !== PREFIX[at]) return 'bad_version';
    }
    return null;
  }

  read(bytes: Buffer, view: DataView, from: number, to: number): HeadFault | null {
    const minor = readVersion(bytes, view, from, to);
    if (typeof minor !== 'number') return minor;
    const statusAt = from + VERSION_BYTES + 1;
    const status = readStatus(bytes, statusAt);
    const after = statusAt + STATUS_BYTES;
    const isStatus = bytes[statusAt - 1] === SP && (after === to || (after < to && bytes[after] === SP));
    if (!isStatus || status < STATUS_MIN) return 'bad_status';
    this.minor = minor;
    this.status = status;
    this.reason = after + 1 < to ? reasonAt(bytes, after + 1, to, status) : '';
    return null;
  }
}

/** Nearly always the one that everybody says. */
function reasonAt(bytes: Buffer, from: number, to: number, status: number): string {
  const usual = REASON_PHRASES[status];
  return usual !== undefined && isAt(usual, bytes, from, to) ? usual : bytes.toString('latin1', from, to);
}

/** `GET /path HTTP/1.1` (RFC 9112 §3), with exactly one space between its parts. */
export class RequestLine implements StartLine {
  readonly skipsEmptyLines = true;
  minor: Minor = 1;
  method = '';
  /** As received, whatever its form. */
  target = '';

  /** The target, for whoever passes it on: a connection that is idle keeps none. */
  takeTarget(): string {
    const { target } = this;
    this.target = '';
    return target;
  }

  check(bytes: Buffer, from: number): HeadFault | null {
    return TOKEN[bytes[from] as number] === 1 ? null : 'bad_method';
  }

  read(bytes: Buffer, view: DataView, from: number, to: number): HeadFault | null {
    const known = knownRequest(view, from, to);
    if (known !== null) {
      this.#say(known);
      return null;
    }
    const methodEnd = endOf(TOKEN, bytes, from, to);
    if (methodEnd === from || bytes[methodEnd] !== SP) return 'bad_method';
    const targetEnd = endOf(TARGET, bytes, methodEnd + 1, to);
    if (targetEnd === methodEnd + 1 || bytes[targetEnd] !== SP) return 'bad_target';
    const minor = readVersion(bytes, view, targetEnd + 1, to);
    if (typeof minor !== 'number') return minor;
    if (targetEnd + 1 + VERSION_BYTES !== to) return 'bad_version';
    const method = methodAt(bytes, from, methodEnd);
    const target = bytes.toString('latin1', methodEnd + 1, targetEnd);
    const said = { minor, method, target };
    learnRequest(view, from, to, said);
    this.#say(said);
    return null;
  }

  #say({ minor, method, target }: SaidRequest): void {
    this.minor = minor;
    this.method = method;
    this.target = target;
  }
}

const METHODS = ['GET', 'POST', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

function methodAt(bytes: Buffer, from: number, to: number): string {
  for (const method of METHODS) if (isAt(method, bytes, from, to)) return method;
  return bytes.toString('latin1', from, to);
}

function isAt(text: string, bytes: Buffer, from: number, to: number): boolean {
  if (text.length !== to - from) return false;
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) !== bytes[from + at]) return false;
  return true;
}

function readVersion(bytes: Buffer, view: DataView, from: number, to: number): Minor | HeadFault {
  if (to - from < VERSION_BYTES || view.getInt32(from, true) !== HTTP) return 'bad_version';
  const version = view.getInt32(from + 4, true);
  if (version === VERSION_1_1) return 1;
  if (version === VERSION_1_0) return 0;
  const isVersion = bytes[from + 4] === SLASH && bytes[from + 6] === DOT;
  const hasDigits = digitAt(bytes, from + 5) >= 0 && digitAt(bytes, from + 7) >= 0;
  return isVersion && hasDigits ? 'unsupported_version' : 'bad_version';
}

/** Three digits as a number; less than 0 where one is none. */
function readStatus(bytes: Buffer, at: number): number {
  const hundreds = digitAt(bytes, at);
  const tens = digitAt(bytes, at + 1);
  const ones = digitAt(bytes, at + 2);
  return hundreds < 0 || tens < 0 || ones < 0 ? -1 : hundreds * 100 + tens * 10 + ones;
}

function digitAt(bytes: Buffer, at: number): number {
  const digit = (bytes[at] ?? 0) - ZERO;
  return digit >= 0 && digit <= 9 ? digit : -1;
}

function endOf(table: Uint8Array, bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to && table[bytes[at] as number] === 1) at++;
  return at;
}
