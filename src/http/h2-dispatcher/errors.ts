/** Why a request over HTTP/2 came to nothing. */

import { constants } from 'node:http2';
import { codeOf, SignalboxError } from '#core/errors.ts';
import { connectionEnded } from '../transport-errors.ts';

/** Codes of RST_STREAM and GOAWAY by which a peer says that what it was sent, or what it sent, is no HTTP/2. */
const BROKEN: ReadonlySet<number> = new Set([
  constants.NGHTTP2_PROTOCOL_ERROR,
  constants.NGHTTP2_FLOW_CONTROL_ERROR,
  constants.NGHTTP2_SETTINGS_TIMEOUT,
  constants.NGHTTP2_STREAM_CLOSED,
  constants.NGHTTP2_FRAME_SIZE_ERROR,
  constants.NGHTTP2_COMPRESSION_ERROR,
  constants.NGHTTP2_ENHANCE_YOUR_CALM,
  constants.NGHTTP2_INADEQUATE_SECURITY,
  constants.NGHTTP2_HTTP_1_1_REQUIRED,
]);

/** Why a stream has ended before its time: by its code, or with its session, which failed with the error. */
export function streamFailed(error: Error | null, code: number): Error {
  if (error !== null && codeOf(error) !== 'ERR_HTTP2_STREAM_ERROR') return sessionFailed(error);
  return BROKEN.has(code) ? malformed(`stream error ${code}`) : connectionEnded();
}

export function sessionFailed(error: Error): Error {
  const code = codeOf(error);
  return code === 'ERR_HTTP2_ERROR' || code === 'ERR_HTTP2_SESSION_ERROR' ? malformed(error.message) : error;
}

function malformed(what: string): SignalboxError {
  return new SignalboxError(
    'upstream_malformed',
    'upstream',
    `The upstream and Signalbox do not agree on what HTTP/2 is: ${what}.`,
  );
}

export function noHttp2(): SignalboxError {
  return new SignalboxError(
    'upstream_malformed',
    'upstream',
    'The upstream did not choose h2 in its TLS handshake (ALPN).',
  );
}

export function noSettings(connectMs: number): SignalboxError {
  return new SignalboxError(
    'connect_timeout',
    'upstream',
    `There was no HTTP/2 connection within ${connectMs} ms.`,
  );
}

export function tooManyInformational(): SignalboxError {
  return malformed('too many informational answers');
}

export function malformedFields(): SignalboxError {
  return malformed('a header is none');
}

export function tooManyHeaders(): SignalboxError {
  return malformed('too many headers');
}

export function silent(what: string, silentMs: number): SignalboxError {
  return new SignalboxError(
    'upstream_closed',
    'upstream',
    `The connection did not ${what} within ${silentMs} ms.`,
  );
}

export function noUpgrade(): SignalboxError {
  return new SignalboxError(
    'upgrade_unsupported',
    'signalbox',
    'The upstream is spoken to in HTTP/2, in which no protocol can be switched to.',
  );
}
