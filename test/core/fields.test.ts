import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { type FieldName, fieldName, learnName, NameSet, numberOf } from '#core/field-names.ts';
import { CONTROLS, Fields } from '#core/fields.ts';
import { COMMON_SPELLINGS } from '#core/header-names.ts';
import { headerList, headerValue } from '#core/headers.ts';
import { HeadParser } from '#http/h1/head-parser.ts';
import { RequestLine } from '#http/h1/start-lines.ts';
import { requestHead } from '#http/h1/write-head.ts';

/** Few enough that they come again, in one case or another. */
const name = fc.oneof(
  fc.constantFrom(
    'Accept',
    'accept',
    'ACCEPT',
    'Host',
    'Cookie',
    'cooKie',
    'Content-Length',
    'content-length',
    'Connection',
    'date',
    'X-Own',
    'x-own',
    'Via',
  ),
  fc.stringMatching(/^[aAbB!-]{1,2}$/),
  fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}$/),
);
const char = fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f);
const value = fc.oneof(
  fc.constantFrom('', 'a', '\t', 'a\tb', ': ', 'Host: x', 'v'.repeat(300)),
  fc.array(char, { maxLength: 9 }).map((codes) => String.fromCharCode(...codes)),
);
const list = fc.array(fc.tuple(name, value), { maxLength: 8 }).map((pairs) => pairs.flat());

/** Of names that mean nothing to whoever sends them. */
const plainList = fc
  .array(fc.tuple(fc.constantFrom('Accept', 'X-Own', 'x-own', 'Via', 'Y'), value), { maxLength: 4 })
  .map((pairs) => pairs.flat());

const UNSOUND_VALUES = ['a\r\nHost: b', 'a\n', 'b\r', '\0', '\x1b', '\x7f', '\u010d\u010a', '€'];
// U+212A is a letter that has an ASCII one for its lower case.
const UNSOUND_NAMES = ['', 'a b', 'a:', 'a\r\nb', 'a\0', 'é', '\u0130', 'coo\u212aie', '\u212aeep-alive'];

function pairsOf(list: readonly string[]): (readonly [name: string, value: string])[] {
  return list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? ''] as const] : []));
}

const textOf = (list: readonly string[]) =>
  pairsOf(list)
    .map(([name, value]) => `\r\n${name}: ${value}`)
    .join('');

/** All that can be asked of them, as whoever reads through the list finds it. */
function assertAre(fields: Fields, list: readonly string[]): void {
  assert.deepEqual(fields.flat(), list);
  assert.equal(fields.text, textOf(list));
  assert.equal(fields.count, list.length / 2);
  for (const [at, [name, value]] of pairsOf(list).entries()) {
    assert.deepEqual([fields.nameAt(at), fields.valueAt(at)], [name, value]);
    assert.equal(fields.lowerNameAt(at), name.toLowerCase());
    assert.ok([0, numberOf(name)].includes(fields.numberAt(at)));
  }
}

function assertFinds(fields: Fields, list: readonly string[], asked: FieldName): void {
  const lowerNames = pairsOf(list).map(([name]) => name.toLowerCase());
  assert.equal(fields.has(asked), lowerNames.includes(asked.lower));
  assert.equal(fields.value(asked), headerValue(list, asked.lower));
  assert.equal(fields.list(asked), headerList(list, asked.lower));
  for (let from = 0; from <= lowerNames.length + 1; from++)
    assert.equal(fields.find(asked, from), lowerNames.indexOf(asked.lower, from));
}

function assertFindsAll(fields: Fields, list: readonly string[], names: readonly FieldName[]): void {
  assertAre(fields, list);
  for (const name of names) assertFinds(fields, list, name);
}

/** What whoever sends them asks, without looking for it. */
function assertNotes(fields: Fields, list: readonly string[]): void {
  const lowerNames = pairsOf(list).map(([name]) => name.toLowerCase());
  const lengths = lowerNames.filter((name) => name === 'content-length').length;
  assert.equal(fields.declaredLength, lastOf(list, 'content-length'));
  assert.equal(fields.hasDate, lowerNames.includes('date'));
  assert.equal(fields.isPlain, lengths < 2 && !lowerNames.includes('connection'));
}

const names = fc.array(name, { maxLength: 4 });
type Part =
  | { kind: 'add'; name: string; value: string }
  | { kind: 'addText'; name: string; value: string }
  | { kind: 'addLines'; list: string[] }
  | { kind: 'addAll'; list: string[] }
  | { kind: 'append'; list: string[]; isRead: boolean }
  | { kind: 'pass'; list: string[]; withheld: string[]; named: string[] | null };
const part: fc.Arbitrary<Part> = fc.oneof(
  fc.record({ kind: fc.constant('add'), name, value }),
  fc.record({ kind: fc.constant('addText'), name, value }),
  fc.record({ kind: fc.constant('addLines'), list: plainList }),
  fc.record({ kind: fc.constant('addAll'), list }),
  fc.record({ kind: fc.constant('append'), list, isRead: fc.boolean() }),
  fc.record({ kind: fc.constant('pass'), list, withheld: names, named: fc.option(names) }),
);

/** With the places of its fields known from the start. */
function asRead(list: readonly string[]): Fields {
  const read = Fields.of(list);
  return new Fields(
    read.text,
    pairsOf(list).flatMap(([name], at) => [numberOf(name), textOf(list.slice(0, 2 * at)).length]),
  );
}

/** Adds a part, and returns what is added by it. */
function add(part: Part, fields: Fields): readonly string[] {
  switch (part.kind) {
    case 'add':
    case 'addText':
      fields[part.kind](fieldName(part.name), part.value);
      return [part.name, part.value];
    case 'addLines': {
      const names = pairsOf(part.list).map(([name]) => fieldName(name));
      fields.addLines(names, textOf(part.list));
      return part.list;
    }
    case 'addAll':
      fields.addAll(part.list);
      return part.list;
    case 'append':
      fields.append(part.isRead ? asRead(part.list) : Fields.of(part.list));
      return part.list;
    case 'pass': {
      const named = part.named && lowerSet(part.named);
      const isNamed = named && ((lowerName: string) => named.has(lowerName));
      fields.pass(Fields.of(part.list), setOf(part.withheld), isNamed);
      return without(part.list, [...part.withheld, ...(part.named ?? [])]);
    }
  }
}

describe('fields', () => {
  it('are the list that they were made of, in order, with its case and its duplicates', () => {
    fc.assert(
      fc.property(list, (list) => {
        const fields = Fields.of(list);
        assertAre(fields, list);
        assert.ok(fields.isSound);
      }),
    );
    assertAre(new Fields(), []);
  });

  it('are found by name, whatever the case, the first one first', () => {
    fc.assert(
      fc.property(list, name, (list, asked) => {
        const fields = Fields.of(list);
        for (const spelling of [asked, ...pairsOf(list).map(([name]) => name)])
          for (const each of [spelling, spelling.toLowerCase(), spelling.toUpperCase()])
            assertFinds(fields, list, fieldName(each));
      }),
    );
  });

  it('are found whatever was learned in between', () => {
    let fresh = 0;
    const spelling = fc.nat(3);
    const act = fc.oneof(
      fc.record({ kind: fc.constant('learn' as const), spelling }),
      fc.record({ kind: fc.constant('name' as const), spelling }),
      fc.record({ kind: fc.constant('make' as const), list: fc.array(spelling, { maxLength: 4 }) }),
    );
    fc.assert(
      fc.property(fc.array(act, { maxLength: 8 }), (acts) => {
        const own = `X-Fresh-${fresh++}`;
        const spellings = [own, own.toLowerCase(), own.toUpperCase(), own.replace('Fresh', 'fRESH')];
        const spelled = (nth: number) => spellings[nth] ?? '';
        const names: FieldName[] = [fieldName(own), fieldName('X-Fresh'), fieldName('Host')];
        const made: { fields: Fields; list: readonly string[] }[] = [];
        for (const act of acts) {
          if (act.kind === 'learn') assert.ok(learnName(spelled(act.spelling)) !== null);
          else if (act.kind === 'name') names.push(fieldName(spelled(act.spelling)));
          else {
            const list = act.list.flatMap((nth, at) => [spelled(nth), `${at}`, 'Host', 'x']);
            made.push({ fields: Fields.of(list), list });
          }
          for (const { fields, list } of made) assertFindsAll(fields, list, names);
        }
      }),
      // Four spellings in each: so many can be learned.
      { numRuns: 60 },
    );
  });

  it('are one text, of parts in any order', () => {
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const [fields, askedLate] = [new Fields(), new Fields()];
        const expected: string[] = [];
        for (const part of parts) {
          add(part, askedLate);
          expected.push(...add(part, fields));
          assertAre(fields, expected);
          assert.ok(fields.isSound);
          assertNotes(fields, expected);
          assert.equal(fields.findOf(CONTROLS), controlIn(expected));
          const passed = new Fields();
          passed.pass(fields, setOf(['accept', 'a']), null);
          assertAre(passed, without(expected, ['accept', 'a']));
        }
        assertAre(askedLate, expected);
        assertNotes(askedLate, expected);
      }),
      { numRuns: 500 },
    );
  });

  it('pass without those of a name that was learned after they had come', () => {
    const late = Fields.of(['X-Late', '1', 'A', '2', 'x-late', '3']);
    const withheld = setOf(['x-late']);
    const kept = new Fields();
    kept.pass(late, setOf([]), null);
    assert.ok(learnName('X-Late') !== null);
    for (const received of [late, kept, Fields.of(late.flat())]) {
      const fields = new Fields();
      fields.pass(received, withheld, null);
      assertAre(fields, ['A', '2']);
    }
  });
});

describe('the memory of a thread', () => {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const LONG = 'v'.repeat(500_000);

  function grownBytes(act: (name: string) => void): number {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (const name of COMMON_SPELLINGS.slice(0, 100)) act(name);
    collect();
    return process.memoryUsage().heapUsed - before;
  }

  function read(text: string): Fields {
    const parser = new HeadParser(new RequestLine(), { bytesMax: 1_000_000, fieldsMax: 2 });
    const bytes = Buffer.from(`GET / HTTP/1.1\r\n${text}\r\n`);
    for (let times = 0; times < 3; times++) assert.equal(parser.parse(bytes, 0), bytes.length);
    return parser.fields;
  }

  it('has no long value that was read, for longer than its head', () => {
    assert.ok(grownBytes((name) => read(`${name}: ${LONG}\r\n`)) < 10_000_000);
  });

  it('has no long value that was written', () => {
    const grown = grownBytes((name) => {
      for (let times = 0; times < 3; times++)
        assert.ok(requestHead('GET', '/', Fields.of([name, `${name} ${LONG}`])) !== null);
    });
    assert.ok(grown < 10_000_000);
  });

  it('has no long head for the sake of a short value of it that was written', () => {
    const grown = grownBytes((name) => {
      for (let times = 0; times < 3; times++) {
        const value = read(`${name}: a value of ${name}\r\nX-Filler: ${LONG}\r\n`).value(fieldName(name));
        assert.ok(requestHead('GET', '/', Fields.of([name, value ?? '', 'X-Own', value ?? ''])) !== null);
      }
    });
    assert.ok(grown < 10_000_000);
  });
});

describe('fields that could break out of their lines', () => {
  const unsound = [
    ...UNSOUND_NAMES.map((name) => [name, 'x']),
    ...UNSOUND_VALUES.map((value) => ['A', value]),
  ];

  it('are not sound, wherever they come from', () => {
    for (const field of unsound) {
      const what = JSON.stringify(field);
      assert.equal(Fields.of(field).isSound, false, what);
      const fields = Fields.of(['A', '1']);
      fields.addAll(['B', '2', ...field, 'C', '3']);
      assert.equal(fields.isSound, false, what);
      assert.equal(fields.text.split('\r\n').length, pairsOf(fields.flat()).length + 1, what);
      const [passed, appended] = [new Fields(), new Fields()];
      passed.pass(fields, setOf(['b']), null);
      appended.append(fields);
      assert.deepEqual([passed.isSound, appended.isSound], [false, false], what);
    }
    for (const value of UNSOUND_VALUES)
      for (const spelling of ['Accept', 'X-Own', 'Authorization']) {
        const fields = new Fields();
        fields.add(fieldName(spelling), value);
        assert.equal(fields.isSound, false, value);
      }
  });

  it('make all of the others unsound that they pass with, even if nothing of them passes', () => {
    const received = Fields.of(['A', '\0']);
    const fields = Fields.of(['B', '1']);
    fields.pass(received, setOf(['a']), null);
    assert.equal(fields.isSound, false);
    fields.addAll(['C', '2']);
    assert.equal(fields.isSound, false);
  });

  it('are all that are not sound', () => {
    const any = fc.string({ unit: 'binary', maxLength: 4 });
    const isToken = (name: string) => /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
    const isText = (value: string) =>
      [...value].every((char) => char === '\t' || (char >= ' ' && char !== '\x7f' && char <= '\xff'));
    fc.assert(
      fc.property(fc.oneof(name, any), fc.oneof(value, any), (name, value) => {
        assert.equal(Fields.of([name, value]).isSound, isToken(name) && isText(value));
      }),
      { numRuns: 1000 },
    );
  });
});

function lastOf(list: readonly string[], lowerName: string): string | null {
  return pairsOf(list).findLast(([name]) => name.toLowerCase() === lowerName)?.[1] ?? null;
}

const controlIn = (list: readonly string[]) =>
  pairsOf(list).findIndex(([name]) => ['content-length', 'connection'].includes(name.toLowerCase()));

const lowerSet = (names: readonly string[]) => new Set(names.map((name) => name.toLowerCase()));

function setOf(names: readonly string[]): NameSet {
  const lowerNames = lowerSet(names);
  return new NameSet((lowerName) => lowerNames.has(lowerName));
}

function without(list: readonly string[], names: readonly string[]): string[] {
  const lowerNames = lowerSet(names);
  return pairsOf(list)
    .filter(([name]) => !lowerNames.has(name.toLowerCase()))
    .flat();
}
