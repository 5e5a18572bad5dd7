import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SECTIONS } from '#config/walk.ts';
import { mistakesIn } from './support.ts';

const sample = readFileSync(`${import.meta.dirname}/../../config/proxy.yaml`, 'utf8').replaceAll(
  /^( *)#(?=[a-z-])/gm,
  '$1',
);

const keys = SECTIONS.flatMap((section) => Object.keys(section.keys));
const word = fc.oneof(
  fc.constantFrom(...keys),
  fc.constantFrom(
    'false',
    'true',
    '0',
    '-1',
    '1.5',
    '.nan',
    '~',
    '"',
    "'",
    '[',
    ']',
    '{',
    '}',
    '&a',
    '*a',
    '!x',
  ),
  fc.constantFrom(
    `\${A}`,
    `\${A:-b}`,
    `\${`,
    `$\${`,
    '<<',
    '__proto__',
    'constructor',
    '|',
    '>',
    '?',
    '#',
    '%',
    '@',
  ),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const space = fc.constantFrom(
  ' ',
  '\n',
  '\n  ',
  '\n    ',
  ': ',
  ':\n  ',
  '- ',
  ', ',
  '\t',
  '\r\n',
  '\n---\n',
);

/** Text made of what configurations are made of. */
const yamlLike = fc.array(fc.tuple(word, space), { maxLength: 40 }).map((parts) => parts.flat().join(''));

/** The sample with one piece of it replaced. */
const spoilt = fc
  .tuple(fc.nat(sample.length), fc.nat(12), fc.array(fc.oneof(word, space), { maxLength: 3 }))
  .map(([from, length, parts]) => sample.slice(0, from) + parts.join('') + sample.slice(from + length));

/** Every mistake is one line, with a place in the file. */
function expectReadable(text: string): void {
  const lineCount = text.split('\n').length;
  for (const mistake of mistakesIn(text, { A: 'a: [b' })) {
    const line = Number(/^(\d+):\d+: ./.exec(mistake)?.[1]);
    assert.ok(line >= 1 && line <= lineCount, mistake);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    assert.doesNotMatch(mistake, /[\u0000-\u001f\u007f-\u009f]/);
  }
}

describe('any text', () => {
  it('is loaded, or its mistakes are told', () => {
    fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), yamlLike, spoilt), expectReadable), {
      numRuns: 500,
    });
  });
});
