import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redactQuery } from '#core/redact-query.ts';

describe('a query', () => {
  for (const [target, shown] of [
    ['/things?page=2', '/things?page=2'],
    ['/things', '/things'],
    ['/o?AWSAccessKeyId=AKIA&Signature=abc&x=1', '/o?AWSAccessKeyId=REDACTED&Signature=REDACTED&x=1'],
    ['/o?sig=a%2Bb', '/o?sig=REDACTED'],
    ['/o?X-Goog-Signature=abc', '/o?X-Goog-Signature=REDACTED'],
    ['/o?a=1&access_token=abc', '/o?a=1&access_token=REDACTED'],
    ['/o?signal=green&notsig=1', '/o?signal=green&notsig=1'],
    ['/sig=1/path', '/sig=1/path'],
  ] as const) {
    it(`of ${target} is shown as ${shown}`, () => assert.equal(redactQuery(target), shown));
  }
});
