import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fieldName, NameSet } from '#core/field-names.ts';
import { Fields } from '#core/fields.ts';
import { headerList } from '#core/headers.ts';
import { FAULTY, HeadParser, INCOMPLETE } from '#http/h1/head-parser.ts';
import { RequestLine, StatusLine } from '#http/h1/start-lines.ts';
import { requestHead, responseHead } from '#http/h1/write-head.ts';
import { bytesOf, cut, hear, hearRequest, hearResponse, LIMITS, places } from './pieces.ts';

const GET = 'GET / HTTP/1.1\r\n';
const OK = 'HTTP/1.1 200 OK\r\n';
const NOTHING = new NameSet(() => false);

const request = (text: string) => hearRequest([bytesOf(text)])?.head;
const response = (text: string) => hearResponse([bytesOf(text)])?.head;

const oneByte = (from: number) => fc.integer({ min: from, max: 255 }).filter((code) => code !== 0x7f);
const text = (from: number, minLength = 0) =>
  fc.array(oneByte(from), { minLength, maxLength: 12 }).map((codes) => String.fromCharCode(...codes));
const token = fc.stringMatching(/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,9}$/);
const value = text(0x20).map((value) => value.replace(/^ +| +$/g, ''));
const headers = fc.array(fc.tuple(token, value), { maxLength: 6 }).map((fields) => fields.flat());

describe('a head', () => {
  it('is read byte for byte', () => {
    assert.deepEqual(
      hearRequest([bytesOf('POST /a?b HTTP/1.0\r\nHost:x\r\nx-B: \xe9\xff \r\nX-b:\t\r\n\r\nbody')]),
      {
        head: ['POST', '/a?b', 0, 'Host', 'x', 'x-B', '\xe9\xff', 'X-b', ''],
        rest: 'body',
      },
    );
    assert.deepEqual(hearResponse([bytesOf(`HTTP/1.1 404 Not  here\r\nA: b c\t d\r\n\r\n${OK}`)]), {
      head: [404, 'Not  here', 1, 'A', 'b c\t d'],
      rest: OK,
    });
  });

  it('may have no fields and no reason', () => {
    assert.deepEqual(response('HTTP/1.1 200 \r\n\r\n'), [200, '', 1]);
    assert.deepEqual(response('HTTP/1.0 999\r\n\r\n'), [999, '', 0]);
    assert.deepEqual(request(`${GET}\r\n`), ['GET', '/', 1]);
  });

  it('of a request may follow empty lines, as some clients send them', () => {
    assert.deepEqual(request(`\r\n\r\n${GET}A: b\r\n\r\n`), ['GET', '/', 1, 'A', 'b']);
    assert.deepEqual(response(`\r\n${OK}\r\n`), 'bad_version');
  });

  it('is read again and again by one parser', () => {
    const line = new RequestLine();
    const parser = new HeadParser(line, { bytesMax: 100, fieldsMax: 2 });
    const bytes = bytesOf('A /1 HTTP/1.1\r\nX: 1\r\n\r\nB /2 HTTP/1.0\r\n\r\n');
    const second = parser.parse(bytes, 0);
    assert.deepEqual([line.method, line.target, ...parser.fields.flat()], ['A', '/1', 'X', '1']);
    assert.equal(parser.isWithin, false);
    assert.equal(parser.parse(bytes.subarray(0, second + 5), second), INCOMPLETE);
    assert.equal(parser.isWithin, true);
    assert.equal(parser.parse(bytes, second + 5), bytes.length);
    assert.deepEqual([line.method, line.target, line.minor, parser.fields.flat()], ['B', '/2', 0, []]);
  });

  it('is not kept once it was taken', () => {
    const line = new RequestLine();
    const parser = new HeadParser(line, LIMITS);
    parser.parse(bytesOf(`${GET}A: b\r\n\r\n`), 0);
    assert.deepEqual(parser.takeFields().flat(), ['A', 'b']);
    assert.equal(parser.fields.count, 0);
    assert.equal(line.takeTarget(), '/');
    assert.equal(line.target, '');
  });

  it('that was faulty stays so', () => {
    const parser = new HeadParser(new StatusLine(), { bytesMax: 100, fieldsMax: 2 });
    assert.equal(parser.parse(bytesOf('nonsense'), 0), FAULTY);
    assert.equal(parser.parse(bytesOf(`${OK}\r\n`), 0), FAULTY);
    assert.equal(parser.fault, 'bad_version');
  });

  const faults: Record<string, readonly string[]> = {
    bare_lf: [
      'GET / HTTP/1.1\nA: b\r\n\r\n',
      `${GET}A: b\nC: d\r\n\r\n`,
      `${GET}A: b\r\n\n`,
      `${GET}\n`,
      `${GET}A:\n\r\n`,
    ],
    bare_cr: [
      'GET / HTTP/1.1\rA: b\r\n\r\n',
      `${GET}A: b\rC: d\r\n\r\n`,
      `${GET}A: b\r\n\r\r\n`,
      `${GET}\rA`,
    ],
    control_character: [
      'GET /\0 HTTP/1.1\r\n\r\n',
      '\x16\x03\x01',
      `${GET}A: \0\r\n\r\n`,
      `${GET}A: \x7f\r\n\r\n`,
      `${GET}A\x01: b`,
    ],
    obs_fold: [`${GET}A: b\r\n c\r\n\r\n`, `${GET}A: b\r\n\tc: d\r\n\r\n`, `${GET} A: b\r\n\r\n`],
    space_before_colon: [`${GET}A : b\r\n\r\n`, `${GET}A\t: b\r\n\r\n`, `${GET}A B: c\r\n\r\n`],
    bad_field_name: [
      `${GET}: b\r\n\r\n`,
      `${GET}A@: b\r\n\r\n`,
      `${GET}\xe9: b\r\n\r\n`,
      `${GET}A\r\n\r\n`,
      `${GET}"A": b`,
    ],
    bad_method: [' GET / HTTP/1.1\r\n\r\n', 'G(T / HTTP/1.1\r\n\r\n', 'GET\r\n\r\n', 'GET\t/ HTTP/1.1\r\n'],
    bad_target: ['GET  / HTTP/1.1\r\n\r\n', 'GET /\r\n\r\n', 'GET /\t HTTP/1.1\r\n\r\n', 'GET \r\n\r\n'],
    bad_version: [
      'GET / HTTP/1.1 \r\n\r\n',
      'GET / http/1.1\r\n\r\n',
      'GET / HTTP/1.10\r\n\r\n',
      'GET / HTTP/1\r\n\r\n',
      'GET / HTTP/ 1.1\r\n\r\n',
      'GET /a b HTTP/1.1\r\n\r\n',
      'GET / HTTP/1,1\r\n\r\n',
      'GET / \r\n\r\n',
    ],
    unsupported_version: ['GET / HTTP/0.9\r\n\r\n', 'GET / HTTP/1.2\r\n\r\n', 'PRI * HTTP/2.0\r\n\r\n'],
  };
  for (const [fault, texts] of Object.entries(faults)) {
    it(`of a request may have a fault: ${fault}`, () => {
      for (const text of texts) assert.equal(request(text), fault, JSON.stringify(text));
    });
  }

  const responseFaults: Record<string, readonly string[]> = {
    bad_version: [
      '<html>',
      'SSH-2.0',
      'HTTX',
      'http/1.1 200 OK\r\n',
      'HTTP/1,1 200 OK\r\n',
      'HTTP/1.1\r\n'.slice(1),
    ],
    unsupported_version: ['HTTP/2.0 200 OK\r\n', 'HTTP/1.3 200 OK\r\n'],
    bad_status: ['099', '20', '2000', '+20', '1e2', ' 200', '', '20O', '2 0', '200\tOK'].map(
      (status) => `HTTP/1.1 ${status}\r\n\r\n`,
    ),
    control_character: ['HTTP/1.1 200 a\0b\r\n\r\n', 'HTTP/1.1 200 a\x1bb\r\n\r\n'],
    bare_lf: ['HTTP/1.1 200 OK\nA: b\r\n\r\n'],
    bare_cr: ['HTTP/1.1 200 OK\rA: b\r\n\r\n'],
  };
  for (const [fault, texts] of Object.entries(responseFaults)) {
    it(`of a response may have a fault: ${fault}`, () => {
      for (const text of texts) assert.equal(response(text), fault, JSON.stringify(text));
    });
  }

  it('has a bound for its bytes, up to the last line feed', () => {
    const head = `${GET}A: b\r\n\r\n`;
    const hear = (bytesMax: number, text: string) =>
      hearRequest([bytesOf(text)], { bytesMax, fieldsMax: 9 })?.head;
    assert.deepEqual(hear(head.length, head), ['GET', '/', 1, 'A', 'b']);
    assert.equal(hear(head.length - 1, head), 'head_too_large');
    assert.equal(hear(50, '\r\n'.repeat(30)), 'head_too_large');
    assert.equal(hear(50, `${GET}A: ${'b'.repeat(60)}`), 'head_too_large');
  });

  it('has a bound for its fields', () => {
    const hear = (fieldsMax: number) =>
      hearRequest([bytesOf(`${GET}A: b\r\nC: d\r\n\r\n`)], { bytesMax: 100, fieldsMax })?.head;
    assert.deepEqual(hear(2), ['GET', '/', 1, 'A', 'b', 'C', 'd']);
    assert.equal(hear(1), 'too_many_fields');
  });

  it('takes time in proportion to its bytes, one at a time', () => {
    const parser = new HeadParser(new StatusLine(), { bytesMax: 1_000_000, fieldsMax: 9 });
    const head = bytesOf(`${OK}A:${' '.repeat(400_000)}${'b '.repeat(200_000)}\r\n\r\n`);
    const startMs = performance.now();
    let end = INCOMPLETE;
    for (let at = 0; at < head.length; at++) end = parser.parse(head.subarray(at, at + 1), 0);
    assert.equal(end, 1);
    assert.equal(parser.fields.valueAt(0).length, 399_999);
    assert.ok(performance.now() - startMs < 5000);
  });
});

describe('any head', () => {
  it('that was written is read as it was, in any pieces', () => {
    fc.assert(
      fc.property(token, text(0x21, 1), headers, text(0), places, (method, target, headers, rest, places) => {
        const head = requestHead(method, target, Fields.of(headers));
        assert.ok(head !== null);
        const heard = hearRequest(cut(bytesOf(head + rest), places));
        assert.deepEqual(heard, { head: [method, target, 1, ...headers], rest });
      }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 100, max: 999 }),
        text(0x20),
        headers,
        places,
        (status, reason, headers, places) => {
          const head = responseHead(status, reason, Fields.of(headers));
          assert.ok(head !== null);
          assert.deepEqual(hearResponse(cut(bytesOf(head), places))?.head, [status, reason, 1, ...headers]);
        },
      ),
    );
  });

  it('in any spacing is as we would write it, among others, in any pieces', () => {
    const name = fc.oneof(fc.constantFrom('Host', 'Accept', 'accept', 'X-Own', 'Cookie'), token);
    const inner = fc.constantFrom('', 'a', 'a\tb', 'a  b', ':', 'x: y', '\xe9', 'a value that comes again');
    const blanks = fc.constantFrom(' ', ' ', ' ', '', '\t', '  ', ' \t', '\t ');
    const behind = fc.constantFrom('', '', '', ' ', '\t', ' \t ');
    const line = fc.record({ name, blanks, value: fc.oneof(inner, value), behind });
    const heads = fc.array(fc.array(line, { maxLength: 6 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(heads, places, fc.boolean(), (heads, places, hasStartLine) => {
        // Trailers are read without one.
        const start = hasStartLine ? GET : '';
        const parser = new HeadParser(hasStartLine ? new RequestLine() : null, LIMITS);
        for (const lines of heads) {
          const written = lines.map(
            ({ name, blanks, value, behind }) => `${name}:${blanks}${value}${behind}\r\n`,
          );
          const pieces = cut(bytesOf(`${start}${written.join('')}\r\nrest`), places);
          const heard = hear(parser, pieces, () => parser.fields);
          assert.equal(heard?.rest, 'rest');
          const { fields } = parser;
          const list = lines.flatMap(({ name, value }) => [name, value]);
          assert.equal(fields.text, lines.map(({ name, value }) => `\r\n${name}: ${value}`).join(''));
          assert.deepEqual(fields.flat(), list);
          assert.equal(fields.count, lines.length);
          for (const { name } of lines)
            assert.equal(fields.list(fieldName(name)), headerList(list, name.toLowerCase()));
          const passed = new Fields();
          passed.pass(fields, NOTHING, null);
          assert.equal(passed.text, fields.text);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('with any bytes changed is heard the same in any pieces', () => {
    const strange = fc.constantFrom(0, 9, 10, 13, 32, 58, 65, 127, 200);
    const changes = fc.array(fc.tuple(fc.nat(400), strange), { maxLength: 4 });
    fc.assert(
      fc.property(headers, changes, places, fc.boolean(), (headers, changes, places, isRequest) => {
        const fields = Fields.of(headers);
        const head = isRequest ? requestHead('GET', '/x', fields) : responseHead(200, 'OK', fields);
        const bytes = bytesOf(`${head}rest`);
        for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
        const hear = isRequest ? hearRequest : hearResponse;
        assert.deepEqual(hear(cut(bytes, places)), hear([bytes]));
      }),
      { numRuns: 1000 },
    );
  });

  it('is read up to the end that is told, whatever stands behind it', () => {
    const bytes = bytesOf('GET /told HTTP/1.1\r\nHost: a\r\nX-Told: b\r\n\r\n');
    for (let end = 1; end < bytes.length; end++) {
      const parser = new HeadParser(new RequestLine(), LIMITS);
      assert.equal(parser.parse(bytes, 0, end), INCOMPLETE);
      assert.equal(parser.parse(bytes, end), bytes.length);
      assert.deepEqual(parser.takeFields().flat(), ['Host', 'a', 'X-Told', 'b']);
    }
  });
});
