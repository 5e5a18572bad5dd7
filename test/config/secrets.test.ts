import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mistakesIn, UPSTREAMS } from './support.ts';

/** Where secrets stand, and where they stand by mistake. */
const PLACES: readonly ((value: string) => string)[] = [
  (value) => `middleware: {auth: {valid_tokens: [${value}]}}`,
  (value) => `middleware: {auth: {valid_tokens: ${value}}}`,
  (value) => `middleware: {auth: {valid_tokens: {${value}: 1}}}`,
  (value) => `middleware: {auth: {valid_tokens: {a: ${value}}}}`,
  (value) => `middleware: {auth: {auth_type: basic, valid_users: {alice: ${value}}}}`,
  (value) => `middleware: {auth: {auth_type: basic, valid_users: {${value}: x}}}`,
  (value) => `middleware: {auth: {auth_type: basic, valid_users: [${value}]}}`,
  (value) => `middleware: {auth: ${value}}`,
  (value) => `routes: [{auth: ${value}}]`,
  (value) => `routes: [{auth: {valid_tokens: [a b, ${value}]}}]`,
  (value) => `routes: [{request_headers: {set: {Authorization: ${value}}}}]`,
  (value) => `routes: [{request_headers: {add: {Authorization: [${value}]}}}]`,
  (value) => `admin: {token: ${value}}`,
  (value) => `admin: {listen: 0.0.0.0:1, tokn: ${value}}`,
  (value) => `pools: {a: {upstreams: [{url: ${value}}, {url: "http://u:hunter2@a"}]}}`,
  (value) => `cluster: {nats: {url: [${value}], token: 1}}`,
  (value) => `cluster: {nats: {url: ${value}, password: x}}`,
  (value) => `cluster: {nats: {url: nats://a, user: ${value}}}`,
  (value) => `cluster: {nats: {url: nats://a, password: ${value}}}`,
  (value) => `cluster: {nats: {url: nats://a, token: {${value}: 1}}}`,
  (value) => `redis: {url: ${value}}`,
];

const junk = fc.string({ unit: 'grapheme', maxLength: 8 });
const secret = fc.tuple(junk, junk).map(([before, after]) => `${before}hunter2${after}`);

function expectHidden(text: string, env: Record<string, string> = {}): void {
  const told = mistakesIn(`${UPSTREAMS}nonsense: 1\n${text}\n`, env).join('\n');
  assert.ok(told !== '' && !told.includes('hunter2'), told);
}

describe('a secret', () => {
  it('is in no message, in quotes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PLACES), secret, (place, value) => {
        expectHidden(place(JSON.stringify(value)));
      }),
    );
  });

  it('is in no message as it is, be it YAML or not', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...PLACES),
        fc.constantFrom('', '*', '&', '!', '@', '%', '"', '|'),
        (place, mark) => {
          expectHidden(place(`${mark}hunter2`));
        },
      ),
    );
  });

  it('is in no message from the environment, wherever it is put', () => {
    const anywhere = [
      ...PLACES,
      (value: string) => `server: {listen_address: ${value}, workers: ${value}, trusted_proxies: [${value}]}`,
      (value: string) => `log: {level: ${value}}`,
      (value: string) => `routes: [{pool: ${value}, host: ${value}, methods: [${value}]}]`,
      (value: string) => `middleware: {rate_limit: {requests_per_minute: ${value}, key: [${value}]}}`,
      (value: string) => `headers: {via: ${value}, request_id: ${value}, request: {remove: [${value}]}}`,
      (value: string) => `health: {body: ${value}}`,
    ];
    fc.assert(
      fc.property(fc.constantFrom(...anywhere), secret, fc.boolean(), (place, value, isPart) => {
        expectHidden(place(isPart ? `"x\${SECRET}"` : `"\${SECRET}"`), { SECRET: value });
      }),
    );
  });
});
