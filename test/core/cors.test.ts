import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as core from '#core/cors.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import type { Cors } from '#core/table.ts';

const APP = 'https://app.example.com';

const corsHeaders = (cors: Cors, request: FlatHeaders) => core.corsHeaders(cors, Fields.of(request)).flat();
const preflightHeaders = (cors: Cors, request: FlatHeaders) =>
  core.preflightHeaders(cors, Fields.of(request)).flat();
const preflightMethod = (method: string, request: FlatHeaders) =>
  core.preflightMethod(method, Fields.of(request));

function cors(changes: Partial<Cors> = {}): Cors {
  return {
    origins: [APP, 'http://localhost:5173'],
    methods: 'GET, PUT',
    headers: 'Authorization',
    exposedHeaders: 'X-Request-ID',
    hasCredentials: false,
    maxAgeSeconds: 600,
    ...changes,
  };
}

describe('an answer to a script of another origin', () => {
  it('names the origin where that may read it, and keeps caches from giving it to others', () => {
    const expected = ['Vary', 'Origin', 'Access-Control-Allow-Origin', APP];
    assert.deepEqual(corsHeaders(cors({ exposedHeaders: '' }), ['origin', APP]), expected);
    assert.deepEqual(corsHeaders(cors({ hasCredentials: true }), ['Origin', APP]), [
      ...expected,
      'Access-Control-Allow-Credentials',
      'true',
      'Access-Control-Expose-Headers',
      'X-Request-ID',
    ]);
  });

  it('says nothing to other origins, but to caches', () => {
    const others = ['https://evil.example', `${APP}.evil.example`, `${APP}:8443`, 'null', '', 'HTTPS://APP'];
    for (const origin of others)
      assert.deepEqual(corsHeaders(cors(), ['Origin', origin]), ['Vary', 'Origin']);
    assert.deepEqual(corsHeaders(cors(), []), ['Vary', 'Origin']);
    assert.deepEqual(corsHeaders(cors(), ['Origin', APP, 'Origin', APP]), ['Vary', 'Origin']);
  });

  it('is the same for all origins where all may read it', () => {
    const any = ['Access-Control-Allow-Origin', '*', 'Access-Control-Expose-Headers', 'X-Request-ID'];
    for (const headers of [[], ['Origin', APP], ['Origin', 'null']])
      assert.deepEqual(corsHeaders(cors({ origins: '*' }), headers), any);
  });
});

describe('a preflight', () => {
  it('is OPTIONS that names an origin and a method', () => {
    const headers = ['Origin', APP, 'access-control-request-method', 'PUT'];
    assert.equal(preflightMethod('OPTIONS', headers), 'PUT');
    assert.equal(preflightMethod('GET', headers), null);
    assert.equal(preflightMethod('OPTIONS', headers.slice(2)), null);
    assert.equal(preflightMethod('OPTIONS', headers.slice(0, 2)), null);
  });

  it('is told what the origin may do', () => {
    assert.deepEqual(preflightHeaders(cors({ hasCredentials: true }), ['Origin', APP]), [
      'Vary',
      'Origin',
      'Access-Control-Allow-Origin',
      APP,
      'Access-Control-Allow-Credentials',
      'true',
      'Access-Control-Allow-Methods',
      'GET, PUT',
      'Access-Control-Allow-Headers',
      'Authorization',
      'Access-Control-Max-Age',
      '600',
    ]);
  });

  it('of an origin that may do nothing is told nothing', () => {
    assert.deepEqual(preflightHeaders(cors(), ['Origin', 'https://evil.example']), ['Vary', 'Origin']);
  });
});
