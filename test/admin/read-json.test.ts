import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { BODY_BYTES_MAX, readJson } from '#admin/read-json.ts';

const Weight = z.strictObject({ weight: z.int() });

const read = (...chunks: string[]) =>
  readJson(Readable.from(chunks.map((chunk) => Buffer.from(chunk))), Weight);

describe('the body of a request to the admin API', () => {
  it('is read whole', async () => {
    assert.deepEqual(await read('{"wei', 'ght":3}'), { value: { weight: 3 } });
  });

  it('is refused with the place of the mistake, and nothing of what it says', async () => {
    for (const [text, place] of [
      ['', /^the body is not what is expected/],
      ['{"weight":', /^the body is not/],
      ['[]', /^the body is not/],
      ['{"weight":"secret"}', /^`weight` is not/],
      ['{"weight":3,"other":"secret"}', /^the body is not/],
    ] as const) {
      const result = await read(text);
      assert.ok('problem' in result);
      assert.match(result.problem, place);
      assert.doesNotMatch(result.problem, /secret/);
    }
  });

  it('is not read to its end when it is too long', async () => {
    const chunk = ' '.repeat(1024);
    const result = await read(...Array.from({ length: BODY_BYTES_MAX / 1024 + 1 }, () => chunk));
    assert.deepEqual(result, { problem: `the body is longer than ${BODY_BYTES_MAX} bytes` });
  });
});
