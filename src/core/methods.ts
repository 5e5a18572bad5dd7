/** RFC 9110, PATCH and QUERY. Clients may invent others, so these are all one. */
export const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
  'QUERY',
] as const;

const NUMBERS = new Map<string, number>(METHODS.map((method, number) => [method, number]));

/** From 0; `METHODS.length` for every method that is not among them. */
export function methodNumber(method: string): number {
  // Most are, and are soon compared.
  return method === 'GET' ? 0 : (NUMBERS.get(method) ?? METHODS.length);
}

/** The method, or what OpenTelemetry's conventions have for one that clients invent. */
export function methodLabel(method: string): string {
  return NUMBERS.has(method) ? method : '_OTHER';
}
