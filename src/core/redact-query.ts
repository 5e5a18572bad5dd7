/** In place of a value that is nobody else's business, as OpenTelemetry's conventions for `url.query` have it. */
export const REDACTED = 'REDACTED';

/** The conventions' own (signatures of AWS, Azure and Google), and names by which secrets commonly go. */
const SECRET =
  /([?&](?:awsaccesskeyid|signature|sig|x-(?:amz|goog)-(?:signature|credential|security-token)|access_token|id_token|refresh_token|token|api[-_]?key|key|secret|client_secret|password|passwd|code)=)[^&]*/gi;

/** A path and query without the values of parameters that are secrets. */
export function redactQuery(target: string): string {
  return target.includes('?') ? target.replace(SECRET, `$1${REDACTED}`) : target;
}
