import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import * as habits from './habits.ts';
import { Zoo } from './scene.ts';

const TABLES = {
  'whose status line': habits.STATUS_LINES,
  'whose fields': habits.FIELDS,
  'whose length': habits.LENGTHS,
  'whose coding': habits.CODINGS,
  'whose chunks': habits.CHUNKS,
  that: habits.ENDS,
  'that, when its answer is over,': habits.MORE,
  'that informs:': habits.INFORMATIONAL,
  'asked by HEAD,': habits.HEADS,
};

/** An answer that was not whole, or no answer. */
const BAD = /…$|^(?:\[\d+\]\+? )?50[24]$/;

for (const transport of ['h1', 'undici'] as const) {
  describe(`through ${transport}, an upstream`, () => {
    const ends: (() => unknown)[] = [];
    const cleanup = { after: (end: () => unknown) => void ends.unshift(end) };
    let zoo: Zoo;
    before(async () => {
      zoo = await Zoo.open(cleanup, transport);
    });
    after(async () => {
      for (const end of ends) await end();
    });

    for (const [whose, rows] of Object.entries(TABLES)) {
      for (const [does, habit, withH1, withUndici = withH1] of rows) {
        const sees = transport === 'h1' ? withH1 : withUndici;
        it(`${whose} ${does}: ${JSON.stringify(sees)}`, async () => {
          assert.equal(await zoo.ask(habit, rows === habits.HEADS ? 'HEAD' : 'GET'), sees);
          if (BAD.test(sees) || rows === habits.MORE)
            assert.ok(!zoo.wasUsedAgain, 'its connection is not used again');
          assert.equal(await zoo.next(), 'its own answer');
        });
      }
    }
  });
}
