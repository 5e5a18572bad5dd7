import assert from 'node:assert/strict';
import { STATUS_CODES } from 'node:http';
import { describe, it } from 'node:test';
import { REFUSALS } from '#core/refusals.ts';

/** RFC 9110 has new names for two of them. */
const TITLES = { ...STATUS_CODES, 413: 'Content Too Large', 422: 'Unprocessable Content' };

/** RFC 9209 §2.3. */
const PROXY_ERRORS = new Set(
  `dns_timeout dns_error destination_not_found destination_unavailable destination_ip_prohibited
  destination_ip_unroutable connection_refused connection_terminated connection_timeout
  connection_read_timeout connection_write_timeout connection_limit_reached tls_protocol_error
  tls_certificate_error tls_alert_received http_request_error http_request_denied
  http_response_incomplete http_response_header_section_size http_response_header_size
  http_response_body_size http_response_trailer_section_size http_response_trailer_size
  http_response_transfer_coding http_response_content_coding http_response_timeout
  http_upgrade_failed http_protocol_error proxy_internal_response proxy_internal_error
  proxy_configuration_error proxy_loop_detected`.split(/\s+/),
);

describe('the table of refusals', () => {
  for (const [cause, answer] of Object.entries(REFUSALS)) {
    it(`answers ${cause} with what HTTP has for it`, () => {
      assert.equal(answer.title, (TITLES as Record<number, string>)[answer.status]);
      if (answer.proxyStatus !== undefined) assert.ok(PROXY_ERRORS.has(answer.proxyStatus));
      if (answer.status === 502 || answer.status === 504) assert.ok(answer.proxyStatus !== undefined);
      assert.match(`${answer.error}${answer.detail}`, /^[ -~]+$/);
    });
  }
});
