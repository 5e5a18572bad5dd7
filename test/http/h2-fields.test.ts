import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Fields } from '#core/fields.ts';
import { groupedFields } from '#http/h2-fields.ts';

describe('fields for node:http2', () => {
  it('keep all that is said under one name, however it is spelled', () => {
    assert.deepEqual(groupedFields(Fields.of(['Link', '</a>', 'grpc-status', '0', 'link', '</b>'])), {
      link: ['</a>', '</b>'],
      'grpc-status': ['0'],
    });
  });

  it('leave out what is of one connection', () => {
    assert.deepEqual(groupedFields(Fields.of(['Connection', 'close', 'Keep-Alive', 'timeout=5'])), {});
  });

  it('are none at all if one of them would become two', () => {
    assert.equal(groupedFields(Fields.of(['x', '1\r\ny: 2'])), null);
    assert.equal(groupedFields(Fields.of(['x\0y', '1'])), null);
  });

  it('may have a name that objects have', () => {
    const fields = groupedFields(Fields.of(['__proto__', 'x']));
    assert.deepEqual(Object.entries(fields ?? {}), [['__proto__', ['x']]]);
  });
});
