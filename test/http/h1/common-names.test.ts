import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LEARNED_MAX } from '#core/field-names.ts';
import { COMMON_SPELLINGS } from '#core/header-names.ts';
import { commonName } from '#http/h1/common-names.ts';
import { viewOf } from '#http/h1/words.ts';
import { isFamiliar } from '#test/support/familiar-names.ts';
import { bytesOf, hearRequest } from './pieces.ts';

function named(name: string): string | null {
  const bytes = bytesOf(`-${name}:`);
  return commonName(bytes, viewOf(bytes), 1, name.length + 1)?.name.spelling ?? null;
}

describe('the name of a field', () => {
  it('is known where it is common', () => {
    for (const name of COMMON_SPELLINGS) assert.equal(named(name), name);
    assert.equal(named('accepT'), null);
  });

  it('is learned when it comes again, but no value under it, which may be secret', () => {
    assert.deepEqual(
      [named('X-Learned'), named('X-Learned'), named('X-Learned')],
      [null, 'X-Learned', 'X-Learned'],
    );
    assert.ok(isFamiliar('X-Learned'));
    const line = bytesOf('X-Learned: key\r\n');
    const view = viewOf(line);
    const lines = commonName(line, view, 0, 'X-Learned'.length);
    for (let times = 0; times < 3; times++) assert.equal(lines?.find(view, 0, line.length, 0), null);
  });

  it('is not learned where it is long', () => {
    for (let times = 0; times < 3; times++) assert.equal(named('x'.repeat(65)), null);
  });

  it('is read as any other once there are as many as are learned', () => {
    const names = Array.from({ length: 4 * LEARNED_MAX }, (_, at) => `X-${at.toString(36)}-Name`);
    for (const name of names) for (let times = 0; times < 2; times++) named(name);
    const learned = names.filter(isFamiliar);
    assert.ok(learned.length > 0 && learned.length <= LEARNED_MAX);
    assert.ok(!isFamiliar(names.at(-1) ?? ''));
    for (const name of names) {
      const heard = hearRequest([bytesOf(`GET / HTTP/1.1\r\n${name}: a\r\n\r\n`)]);
      assert.deepEqual(heard?.head, ['GET', '/', 1, name, 'a']);
    }
  });
});
