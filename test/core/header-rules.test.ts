import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Fields } from '#core/fields.ts';
import { type RuleFacts, underHeaderRules } from '#core/header-rules.ts';
import type { HeaderRules, RuleValue } from '#core/table.ts';

const NONE: HeaderRules = { remove: [], set: [], add: [] };
const FACTS: RuleFacts = {
  clientAddress: '2001:db8::1',
  host: 'example.com:8080',
  requestId: '0af7',
  routeName: 'default',
  upstreamName: 'red',
  tls: null,
};

function apply(headers: readonly string[], rules: Partial<HeaderRules>, facts = FACTS): string[] {
  const ruled = underHeaderRules(Fields.of(headers), { ...NONE, ...rules }, facts);
  assert.ok(ruled.isSound);
  return ruled.flat();
}

describe('header rules', () => {
  it('take away every header of a name, whatever its case', () => {
    const headers = ['A', '1', 'b', '2', 'a', '3', 'c', '4', 'A', '5'];
    assert.deepEqual(apply(headers, { remove: ['a', 'nothing'] }), ['b', '2', 'c', '4']);
  });

  it('set one header in place of all of that name', () => {
    assert.deepEqual(apply(['x-a', '1', 'B', '2', 'X-A', '3'], { set: [['X-a', 'new']] }), [
      'B',
      '2',
      'X-a',
      'new',
    ]);
    assert.deepEqual(apply([], { set: [['X-A', 'new']] }), ['X-A', 'new']);
  });

  it('add to what is there', () => {
    assert.deepEqual(apply(['Vary', 'a'], { add: [['Vary', 'b']] }), ['Vary', 'a', 'Vary', 'b']);
  });

  it('remove, then set, then add', () => {
    const rules: HeaderRules = { remove: ['x'], set: [['X', 'set']], add: [['X', 'added']] };
    assert.deepEqual(apply(['x', 'received', 'y', '1'], rules), ['y', '1', 'X', 'set', 'X', 'added']);
  });

  it('never take a value for a name', () => {
    assert.deepEqual(apply(['a', 'x', 'b', 'x'], { remove: ['x'] }), ['a', 'x', 'b', 'x']);
  });

  it('fill in what differs from request to request', () => {
    const variables = ['client_ip', 'host', 'request_id', 'route', 'upstream'] as const;
    const value: RuleValue = ['<', ...variables.flatMap((variable) => [{ variable }, '>'])];
    const filled = '<2001:db8::1>example.com:8080>0af7>default>red>';
    assert.deepEqual(apply(['x', '1'], { set: [['X', value]], add: [['Y', value]] }), [
      'X',
      filled,
      'Y',
      filled,
    ]);
  });

  it('fill in what is known of the connection, and nothing of one without TLS', () => {
    const variables = [
      'tls.version',
      'tls.client_subject',
      'tls.client_san',
      'tls.client_fingerprint',
    ] as const;
    const set: [string, RuleValue][] = [['X', variables.map((variable) => ({ variable }))]];
    const certificate = { commonName: 'App', alternativeNames: ' DNS:app ', fingerprint: 'a0b1' };
    const known = { ...FACTS, tls: { version: 'TLSv1.3', certificate } as const };
    assert.deepEqual(apply([], { set }, known), ['X', 'TLSv1.3App DNS:app a0b1']);
    assert.deepEqual(apply([], { set }, { ...FACTS, tls: { version: 'TLSv1.2', certificate: null } }), [
      'X',
      'TLSv1.2',
    ]);
    assert.deepEqual(apply([], { set }), ['X', '']);
  });

  it('let nothing that they fill in begin another header', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (host) => {
        const headers = apply([], { set: [['X', ['a', { variable: 'host' }]]] }, { ...FACTS, host });
        assert.equal(headers.length, 2);
        assert.match(`${headers[1]}`, /^a[\t -~\x80-\xff]*$/);
      }),
      { seed: 2 },
    );
  });

  it('leave all other headers alone and in order', () => {
    const header = fc.tuple(fc.constantFrom('a', 'A', 'b', 'B', 'c'), fc.constantFrom('1', '2', 'a', 'b'));
    fc.assert(
      fc.property(fc.array(header), fc.subarray(['a', 'b']), (headers, remove) => {
        const kept = headers.filter(([name]) => !remove.includes(name.toLowerCase()));
        assert.deepEqual(apply(headers.flat(), { remove }), kept.flat());
      }),
      { seed: 1 },
    );
  });
});
