import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { groupedFields } from '#http/h2-fields.ts';

describe('fields for node:http2', () => {
  it('keep all that is said under one name, however it is spelled', () => {
    assert.deepEqual(groupedFields(['Link', '</a>', 'grpc-status', '0', 'link', '</b>']), {
      link: ['</a>', '</b>'],
      'grpc-status': ['0'],
    });
  });

  it('leave out what is of one connection', () => {
    assert.deepEqual(groupedFields(['Connection', 'close', 'Keep-Alive', 'timeout=5']), {});
  });

  it('are none at all if one of them would become two', () => {
    assert.equal(groupedFields(['x', '1\r\ny: 2']), null);
    assert.equal(groupedFields(['x\0y', '1']), null);
  });

  it('may have a name that objects have', () => {
    const fields = groupedFields(['__proto__', 'x']);
    assert.deepEqual(Object.entries(fields ?? {}), [['__proto__', ['x']]]);
  });
});
