import { codeOf } from '#core/errors.ts';

/** What this machine lacks says nothing of the upstream. */
const OWN_LACK = new Set(['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'EADDRNOTAVAIL']);

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection closed',
  EPIPE: 'connection closed',
  upstream_closed: 'connection closed',
  upstream_malformed: 'answer is not HTTP/2',
  upstream_unprocessed: 'request refused',
  connect_timeout: 'timeout',
  ETIMEDOUT: 'timeout',
  EHOSTUNREACH: 'no route to it',
  ENETUNREACH: 'no route to it',
  ENOTFOUND: 'name not found',
  EAI_AGAIN: 'name not found',
};

/** In a few words, for those who look at opinions; null for a failure of this machine's own. */
export function failureReason(error: unknown): string | null {
  const code = codeOf(error);
  if (OWN_LACK.has(code)) return null;
  // Codes of Node's HTTP parser.
  if (code.startsWith('HPE_')) return 'answer is not HTTP';
  return REASONS[code] ?? (code === '' ? 'failed' : `failed: ${code}`);
}
