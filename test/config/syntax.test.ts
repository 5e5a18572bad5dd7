import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mistakesIn, UPSTREAMS } from './support.ts';

describe('YAML that is none', () => {
  const cases: readonly (readonly [name: string, text: string, mistake: RegExp])[] = [
    ['an open quote', 'a: "b\n', /^\d:\d: something is missing here: a quote/],
    ['an open bracket', 'a: [b\nc: d\n', /^2:1: .*(?:bracket|missing)/],
    ['a tab', 'a:\n\tb: c\n', /^2:1: tabs cannot indent; use spaces$/],
    ['a second colon', 'a: b: c\n', /^1:4: a second `:` or `-` on one line/],
    ['wrong indentation', 'a:\n    b: 1\n  c: 2\n', /^3:\d: the indentation does not fit/],
    ['two documents', 'a: 1\n---\nb: 2\n', /^2:\d: a second document starts here/],
    ['a tag', 'a: !hunter2 b\n', /^1:4: unknown tag; put a text that starts with `!` in quotes$/],
    ['a binary', 'a: !!binary aHVudGVyMg==\n', /^1:4: unknown tag/],
    [
      'an unknown escape',
      'a: "\\hunter2"\n',
      /^1:5: unknown escape in double quotes; write `\\\\` for a backslash/,
    ],
    [
      'a reserved character',
      'a: @hunter2\n',
      /^1:4: no value starts with this character; put the text in quotes$/,
    ],
    ['a list for a key', '[a]: b\n', /^1:1: a key is a text/],
  ];
  for (const [name, text, mistake] of cases) {
    it(`has ${name}`, () => {
      const [first = ''] = mistakesIn(text);
      assert.match(first, mistake);
      assert.doesNotMatch(first, /hunter2/);
    });
  }

  it('has a variable without quotes in brackets', () => {
    assert.equal(mistakesIn(`a: {b: \${PORT}}\n`)[0], '1:8: within brackets, a variable stands in quotes');
  });

  it('has an alias for nothing, which may be a token', () => {
    assert.deepEqual(mistakesIn(`${UPSTREAMS}middleware:\n  auth:\n    valid_tokens: [*hunter2]\n`), [
      '4:20: middleware.auth.valid_tokens[0]: no anchor above has this name; put a text that starts with `*` or `&` in quotes',
    ]);
  });

  it('shows at most ten mistakes, one a line', () => {
    assert.equal(mistakesIn('a: @ @ @\n'.repeat(100)).length, 10);
  });
});

describe('YAML that is too much', () => {
  it('is nested too deep', () => {
    for (const text of ['[', '{a: ', '- ', '? ']) {
      const [mistake = ''] = mistakesIn(text.repeat(100_000));
      assert.match(mistake, /lists and sections are nested more than 64 deep$/, text);
    }
  });

  it('has an alias that is part of itself', () => {
    assert.ok(
      mistakesIn('pools: &a [*a]\n').includes(
        '1:12: pools[0]: the alias stands for something that it is part of',
      ),
    );
  });

  it('is nested too deep by aliases', () => {
    const levels = Array.from({ length: 50_000 }, (_, level) => `- &l${level} [*l${level - 1}]\n`);
    const text = `pools:\n- &l-1 x\n${levels.join('')}`;
    assert.match(mistakesIn(text).join(), /nested more than 64 deep/);
  });

  it('has aliases that multiply', () => {
    const levels = Array.from({ length: 9 }, (_, level) => {
      const inner = level === 0 ? '"x"' : `*l${level - 1}`;
      return `  l${level}: &l${level} [${Array.from({ length: 9 }, () => inner).join()}]\n`;
    });
    assert.deepEqual(mistakesIn(`pools:\n${levels.join('')}`), ['1:1: there are more than 100000 values']);
  });

  it('has a hundred thousand mistakes', () => {
    const keys = Array.from({ length: 99_000 }, (_, index) => `k${index}: 1\n`).join('');
    assert.equal(mistakesIn(`${UPSTREAMS}${keys}`).length, 99_000);
  });
});
