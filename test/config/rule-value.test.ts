import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseRuleValue } from '#config/rule-value.ts';

describe('the value of a header rule', () => {
  it('is a text', () => {
    for (const text of ['', 'plain', '100%', '%', '{}', '%20', '$x', '%%', 'a%b{c}'])
      assert.equal(parseRuleValue(text), text);
  });

  it('has variables, alone or within a text', () => {
    assert.deepEqual(parseRuleValue('%{client_ip}'), [{ variable: 'client_ip' }]);
    assert.deepEqual(parseRuleValue('a %{host}%{route} b'), [
      'a ',
      { variable: 'host' },
      { variable: 'route' },
      ' b',
    ]);
  });

  it('has those of the connection', () => {
    assert.deepEqual(parseRuleValue('%{tls.client_san}'), [{ variable: 'tls.client_san' }]);
    assert.equal(parseRuleValue('%{tls.}'), null);
  });

  it('has no others', () => {
    for (const text of ['%{', '%{}', '%{nothing}', '%{Host}', '%{host', '%{ host }', 'a %{route} %{x}'])
      assert.equal(parseRuleValue(text), null, text);
  });

  it('has the text itself behind an escape', () => {
    assert.equal(parseRuleValue('%%{host} %%{'), '%{host} %{');
    assert.deepEqual(parseRuleValue('%%{%{host}'), ['%{', { variable: 'host' }]);
  });

  it('can be any text, once that is escaped', () => {
    const pieces = fc.array(fc.constantFrom('%', '{', '}', 'host', 'x', '%{', '%%{', '%{route}'));
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join('');
        // After a `%`, an escape would begin one character too early.
        if (/%%\{/.test(text)) return;
        assert.equal(parseRuleValue(text.replaceAll('%{', '%%{')), text);
      }),
      { seed: 3 },
    );
  });
});
