import { REASON_PHRASES } from '#core/reason-phrases.ts';
import type { AdminAnswer } from './api.ts';

/** Of a request that cannot be done: what stands where, and what is expected there. */
export type FieldProblem = { readonly field: string; readonly detail: string };

/** Problem details (RFC 9457); `more` are extension members, `error` among them says it all in one line. */
export function problem(
  status: number,
  detail: string,
  more: object = {},
  headers: AdminAnswer['headers'] = {},
): AdminAnswer {
  const title = REASON_PHRASES[status] ?? '';
  const body = { type: 'about:blank', title, status, detail, error: detail, ...more };
  return { status, contentType: 'application/problem+json', body: `${JSON.stringify(body)}\n`, headers };
}

export function badFields(errors: readonly FieldProblem[]): AdminAnswer {
  const lines = errors.map(({ field, detail }) => (field === '' ? detail : `${field}: ${detail}`));
  return problem(400, lines.join('; '), { errors });
}
