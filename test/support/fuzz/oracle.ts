/**
 * HTTP/1.1 read a second time, by other means than the product's: regular expressions over a whole text of one
 * character a byte, as strict as RFC 9112 lets a recipient be. It says which messages there are, and nothing else.
 */

export type Message = {
  /** `[method, target]` or `[status, reason]`. */
  readonly start: readonly [string, string];
  readonly minor: number;
  /** Name, value, name, value …, as they stand there. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** Whether another message may follow. */
  readonly persists: boolean;
};

export type Reading = {
  readonly messages: readonly Message[];
  /** Of answers: the informational ones before each, by status. */
  readonly informational: readonly number[];
  /** What follows the last message. */
  readonly rest: string;
};

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const TEXT = '\\t\\x20-\\x7e\\x80-\\xff';
const REQUEST_LINE = new RegExp(`^(${TOKEN}) ([\\x21-\\x7e\\x80-\\xff]+) HTTP/1\\.([01])\\r\\n`);
const STATUS_LINE = new RegExp(`^HTTP/1\\.([01]) ([1-9][0-9]{2})(?: ([${TEXT}]*))?\\r\\n`);
const FIELD = new RegExp(`^(${TOKEN}):[ \\t]*((?:[${TEXT}]*[\\x21-\\x7e\\x80-\\xff])?)[ \\t]*\\r\\n`);
const EXTENSION = `(?:[\\t\\x20\\x21\\x23-\\x7e\\x80-\\xff]|"(?:[\\t\\x20\\x21\\x23-\\x5b\\x5d-\\x7e\\x80-\\xff]|\\\\[${TEXT}])*")*`;
const CHUNK = new RegExp(`^([0-9a-fA-F]{1,16})(?:[ \\t]*;${EXTENSION})?\\r\\n`);
const LENGTH = /^[0-9]{1,16}$/;

type Part<Value> = { readonly value: Value; readonly end: number };
type Framing =
  | { readonly kind: 'none' | 'chunked' | 'until_close' }
  | { readonly kind: 'length'; bytes: number };

/** All requests that `text` begins with. */
export function readRequests(text: string): Reading {
  const messages: Message[] = [];
  let at = 0;
  for (;;) {
    while (text.startsWith('\r\n', at)) at += 2;
    const line = REQUEST_LINE.exec(text.slice(at));
    const [all = '', method = '', target = '', minor = ''] = line ?? [];
    const fields = line === null ? null : readFields(text, at + all.length);
    const framing = fields === null ? null : framingOf(fields.value, Number(minor));
    if (fields === null || framing === null) break;
    const read = readBody(text, fields.end, framing, false);
    if (read === null) break;
    const persists = doesPersist(fields.value, Number(minor)) && method !== 'CONNECT';
    const { body, trailers } = read.value;
    messages.push({
      start: [method, target],
      minor: Number(minor),
      headers: fields.value,
      body,
      trailers,
      persists,
    });
    at = read.end;
    if (!persists) break;
  }
  return { messages, informational: [], rest: text.slice(at) };
}

/** The answer to a request with `method` that `text` begins with, if there is a whole one. */
export function readAnswer(text: string, method: string, hasEnded: boolean): Reading {
  const informational: number[] = [];
  let at = 0;
  for (;;) {
    const line = STATUS_LINE.exec(text.slice(at));
    const [all = '', minor = '', code = '', reason = ''] = line ?? [];
    const status = Number(code);
    const fields = line === null ? null : readFields(text, at + all.length);
    if (fields === null || status === 101) break;
    if (status < 200) {
      informational.push(status);
      at = fields.end;
      continue;
    }
    const declared = framingOf(fields.value, Number(minor));
    if (declared === null) break;
    const hasNone = method === 'HEAD' || status === 204 || status === 304;
    const framing = hasNone
      ? { kind: 'none' as const }
      : isDeclared(fields.value)
        ? declared
        : { kind: 'until_close' as const };
    const read = readBody(text, fields.end, framing, hasEnded);
    if (read === null) break;
    const { body, trailers } = read.value;
    const persists = doesPersist(fields.value, Number(minor)) && framing.kind !== 'until_close';
    const message = {
      start: [code, reason] as const,
      minor: Number(minor),
      headers: fields.value,
      body,
      trailers,
      persists,
    };
    return { messages: [message], informational, rest: text.slice(read.end) };
  }
  return { messages: [], informational, rest: text.slice(at) };
}

function readFields(text: string, from: number): Part<string[]> | null {
  const value: string[] = [];
  let at = from;
  while (!text.startsWith('\r\n', at)) {
    const [all, name, content] = FIELD.exec(text.slice(at)) ?? [];
    if (all === undefined || name === undefined || content === undefined) return null;
    value.push(name, content);
    at += all.length;
  }
  return { value, end: at + 2 };
}

/** Every value of a field, in order. */
export function valuesOf(headers: readonly string[], name: string): string[] {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name);
}

function isDeclared(headers: readonly string[]): boolean {
  return valuesOf(headers, 'content-length').length + valuesOf(headers, 'transfer-encoding').length > 0;
}

/** RFC 9112 §6.3, where whatever is ambiguous is an error: null. */
function framingOf(headers: readonly string[], minor: number): Framing | null {
  const lengths = valuesOf(headers, 'content-length');
  const codings = valuesOf(headers, 'transfer-encoding');
  if (codings.length > 0) {
    const isChunked = codings.length === 1 && codings[0]?.toLowerCase() === 'chunked';
    return isChunked && lengths.length === 0 && minor === 1 ? { kind: 'chunked' } : null;
  }
  const [length] = lengths;
  if (length === undefined) return { kind: 'none' };
  const bytes = Number(length);
  if (lengths.length > 1 || !LENGTH.test(length) || !Number.isSafeInteger(bytes)) return null;
  return { kind: 'length', bytes };
}

function readBody(
  text: string,
  from: number,
  framing: Framing,
  hasEnded: boolean,
): Part<{ body: string; trailers: readonly string[] }> | null {
  switch (framing.kind) {
    case 'none':
      return { value: { body: '', trailers: [] }, end: from };
    case 'until_close':
      return hasEnded ? { value: { body: text.slice(from), trailers: [] }, end: text.length } : null;
    case 'length': {
      const end = from + framing.bytes;
      return end > text.length ? null : { value: { body: text.slice(from, end), trailers: [] }, end };
    }
    case 'chunked':
      return readChunks(text, from);
  }
}

function readChunks(text: string, from: number): Part<{ body: string; trailers: readonly string[] }> | null {
  let body = '';
  let at = from;
  for (;;) {
    const [line, digits] = CHUNK.exec(text.slice(at)) ?? [];
    if (line === undefined || digits === undefined) return null;
    const size = Number.parseInt(digits, 16);
    at += line.length;
    if (size === 0) break;
    if (!Number.isSafeInteger(size) || !text.startsWith('\r\n', at + size)) return null;
    body += text.slice(at, at + size);
    at += size + 2;
  }
  const trailers = readFields(text, at);
  return trailers === null ? null : { value: { body, trailers: trailers.value }, end: trailers.end };
}

function doesPersist(headers: readonly string[], minor: number): boolean {
  const options = valuesOf(headers, 'connection').flatMap((value) =>
    value.split(',').map((option) => option.replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase()),
  );
  return !options.includes('close') && (minor === 1 || options.includes('keep-alive'));
}
