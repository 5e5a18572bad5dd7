import { codeOf, messageOf } from '#core/errors.ts';
import type { PlainCause, RefusalCause } from '#core/refusals.ts';

/** OpenSSL's verdicts on a certificate; Node uses their names as codes. */
const CERTIFICATE = /^(?:CERT_|ERR_TLS_|ERR_SSL_|EPROTO$|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_)/;

/** What the client did, though the transport was the one to see it. */
const CLIENTS_FAULT = new Set([
  'request_body_broken',
  'request_malformed',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

const BLAMED_ON_OTHERS: ReadonlySet<RefusalCause> = new Set([
  'malformed_request',
  'body_too_large',
  'request_timeout',
  'upgrade_unsupported',
]);

const BAD_HTTP = new Set([
  'upstream_malformed',
  'upstream_transfer_coding',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  // An answer that undici's parser did not think possible, such as the status 099.
  'ERR_ASSERTION',
]);

/** A 100 or 101 that was not asked for; undici tells it from a closed connection by its message only. */
const BAD_ANSWER = /^bad (?:response|upgrade)$/;

/** Why an attempt failed, from the transport's error. `written`: the request may have left already. */
export function failureCause(error: unknown, written: boolean): PlainCause {
  const code = codeOf(error);
  const clients = clientsFault(code);
  if (clients !== null) return clients;
  if (code === 'upgrade_unsupported') return code;
  if (code === 'connect_timeout') return 'connect_timeout';
  if (CERTIFICATE.test(code)) return 'upstream_tls_error';
  // An upstream that cannot speak HTTP/2 says so before there is a request.
  if (isBadHttp(error, code)) return 'upstream_protocol_error';
  if (isUnprocessed(error)) return 'upstream_closed';
  if (code === 'upstream_timeout') return code;
  return written ? 'upstream_closed' : 'upstream_unreachable';
}

/** Whether the upstream has said that it has not begun on a request that was written. */
export function isUnprocessed(error: unknown): boolean {
  return codeOf(error) === 'upstream_unprocessed';
}

function isBadHttp(error: unknown, code: string): boolean {
  if (BAD_HTTP.has(code) || isParserError(error)) return true;
  return code === 'UND_ERR_SOCKET' && BAD_ANSWER.test(messageOf(error));
}

/** undici's own class is not loaded where undici is not. */
function isParserError(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError';
}

/** What the client did wrong, by the code of an error; null for any other. */
export function clientsFault(code: string): PlainCause | null {
  if (code === 'request_body_too_large') return 'body_too_large';
  if (code === 'request_body_slow') return 'request_timeout';
  return CLIENTS_FAULT.has(code) ? 'malformed_request' : null;
}

/** Whether the failure tells that the upstream cannot be reached, so that others should avoid it too. */
export function isUnreachable(cause: RefusalCause): boolean {
  return cause === 'upstream_unreachable' || cause === 'connect_timeout' || cause === 'upstream_tls_error';
}

/** Whether it is the upstream that failed, and not the client. */
export function isUpstreamsFault(cause: RefusalCause): boolean {
  return !BLAMED_ON_OTHERS.has(cause);
}
