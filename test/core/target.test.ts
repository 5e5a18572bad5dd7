import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseServerTarget, parseTarget } from '#core/target.ts';

const path = (raw: string) => parseTarget(raw)?.path ?? null;
const origin = (raw: string) => parseTarget(raw)?.origin ?? null;

/** The pieces that attacks on path readers are made of. */
const PIECES = [
  '/',
  '//',
  '.',
  '..',
  '%2e',
  '%2E%2e',
  '%2f',
  '%5C',
  '\\',
  ';',
  '%3b',
  'a',
  'admin',
  '%61',
  '%25',
  '%c3%a9',
  '\xc3\xa9',
  '%ff',
  '?',
  '&x=..',
];
const hostile = fc
  .array(fc.constantFrom(...PIECES), { maxLength: 12 })
  .map((pieces) => `/${pieces.join('')}`);

describe('a plain target', () => {
  it('is what was sent', () => {
    for (const raw of ['/', '/a', '/a/', '/a.b/..c/d..', '/.../x', '/.well-known/x', "/~!$&'()*+,=:@-"])
      assert.deepEqual(parseTarget(raw), { origin: raw, path: raw, authority: null });
  });

  it('keeps its query, which no route looks at', () => {
    assert.deepEqual(parseTarget('/a?b=/../c//d&e=%zz?f'), {
      origin: '/a?b=/../c//d&e=%zz?f',
      path: '/a',
      authority: null,
    });
    assert.deepEqual(parseTarget('/?'), { origin: '/?', path: '/', authority: null });
  });
});

describe('any character', () => {
  it('is in a target where it is visible and of ASCII, and begins no fragment', () => {
    for (let code = 0; code < 300; code++) {
      const char = String.fromCharCode(code);
      const isFit = code > 0x20 && code < 0x7f && char !== '#';
      // Alone, what it may be the beginning of makes no sense.
      const isBroken = !isFit || char === '%';
      for (const raw of [`/${char}b`, `/a${char}`, `/a/${char}`])
        assert.equal(parseTarget(raw) === null, isBroken, raw);
      for (const raw of [`/?${char}b`, `/a?b${char}`]) assert.equal(parseTarget(raw) === null, !isFit, raw);
    }
  });
});

describe('an escaped path', () => {
  it('is decoded for routes and sent as it came', () => {
    assert.equal(path('/%61dmin'), '/admin');
    assert.equal(origin('/%61dmin'), '/%61dmin');
    assert.equal(path('/a%20b'), '/a b');
    assert.equal(path('/gitlab%2Fproject'), '/gitlab/project');
    assert.equal(origin('/gitlab%2Fproject'), '/gitlab%2Fproject');
  });

  it('is decoded once', () => {
    assert.equal(path('/%2561dmin'), '/%61dmin');
    assert.equal(path('/a/%252e%252e/b'), '/a/%2e%2e/b');
  });

  it('is UTF-8 that was escaped', () => {
    assert.equal(path('/%C3%A9/x'), '/é/x');
    assert.equal(path('/%C3%A9/%FF'), '/é/\ufffd');
    assert.equal(parseTarget('/\xc3\xa9/x'), null);
  });

  it('is refused where it is broken or hides a NUL', () => {
    for (const raw of ['/%', '/%4', '/%zz', '/%u0041', '/a%00', '/%2', '/%%31'])
      assert.equal(parseTarget(raw), null, raw);
  });
});

describe('slashes', () => {
  it('are merged for routes and sent as they came', () => {
    for (const raw of ['/admin//x', '/admin///x', '/admin\\x', '/%2fadmin/x', '/%5cadmin/x']) {
      assert.match(path(raw) ?? '', /^\/admin(?:\/x)?$/, raw);
      assert.equal(origin(raw), raw);
    }
  });

  it('in front of everything are one, for the upstream as well', () => {
    // `//x/private` went to the route of `/x`, while Node's URL and others read it as /private on host x.
    for (const raw of ['//x/private', '///x/private', '/\\x/private', '/\\/x/private', 'http://h//x/private'])
      assert.deepEqual([path(raw), origin(raw)], ['/x/private', '/x/private'], raw);
    assert.deepEqual([path('//'), origin('//?a=//b')], ['/', '/?a=//b']);
  });
});

describe('path parameters', () => {
  it('are left out for routes and sent as they came', () => {
    // `/private;x` missed the route of /private, where upstreams that know parameters looked it up.
    const cases = {
      '/private;x': '/private',
      '/private;': '/private',
      '/private%3Bx': '/private',
      '/;x/private': '/private',
      '/%3b/private': '/private',
      '/a;v=1/b;w=2;x/c': '/a/b/c',
      '/a;x=%C3%A9/%61': '/a/a',
      '/a/;x': '/a/',
      '/;': '/',
      '/a%2fb;x': '/a/b',
    };
    for (const [raw, read] of Object.entries(cases)) {
      assert.equal(path(raw), read, raw);
      assert.equal(origin(`${raw}?q=;`), `${raw}?q=;`, raw);
    }
  });

  it('are refused where servers differ about their end', () => {
    for (const raw of ['/;x%2fpublic', '/a;%5Cb', '/a;\\b', '/a%3bx%2Fb', '/a;/b;%2f'])
      assert.equal(parseTarget(raw), null, raw);
  });

  it('are refused with broken escapes or a NUL in them, like any other part', () => {
    for (const raw of ['/a;%', '/a;%zz', '/a;x=%00']) assert.equal(parseTarget(raw), null, raw);
  });
});

describe('dot segments', () => {
  it('are resolved, for routes and for the upstream alike', () => {
    const cases = {
      '/public/../admin': '/admin',
      '/a/./b': '/a/b',
      '/./a': '/a',
      '/a/.': '/a/',
      '/a/..': '/',
      '/a/b/..': '/a/',
      '/a/b/../': '/a/',
      '/a/b/c/../../d': '/a/d',
      '/.': '/',
      '/a/%2e%2e/b': '/b',
      '/a/.%2E/b': '/b',
      '/a/%2e/b/': '/a/b/',
    };
    for (const [raw, resolved] of Object.entries(cases)) {
      assert.equal(path(raw), resolved, raw);
      assert.equal(origin(`${raw}?q=..`), `${resolved}?q=..`, raw);
    }
  });

  it('leave the escapes of other segments alone', () => {
    assert.deepEqual(parseTarget('/x/../%61%20b'), { origin: '/%61%20b', path: '/a b', authority: null });
  });

  it('must not climb above the root', () => {
    for (const raw of ['/..', '/../a', '/a/../..', '/a/../../b', '/%2e%2e', '/./..', '/a/b/../../../a'])
      assert.equal(parseTarget(raw), null, raw);
  });

  it('are refused where servers differ about them', () => {
    const raws = [
      '/a%2f..%2fb',
      '/admin/..%2fpublic',
      '/a\\..\\b',
      '/a/..\\b',
      '/a%5c..',
      '/a//../b',
      '/a/..;/b',
    ];
    raws.push(
      '/a/..;x=1/b',
      '/a/%2e%2e;/b',
      '/a/..%3b/b',
      '/a/.;/b',
      '/a/%2e%2e%2fb',
      '/..%5c',
      '/a/../b%2fc',
    );
    for (const raw of raws) assert.equal(parseTarget(raw), null, raw);
  });

  it('are only whole segments', () => {
    for (const raw of ['/a..', '/..a', '/a/...', '/.a/.b.', '/a/b..c'])
      assert.deepEqual(parseTarget(raw), { origin: raw, path: raw, authority: null });
    assert.equal(path('/a;../b;x=../c'), '/a/b/c');
  });
});

describe('an absolute target', () => {
  it('is its path, and an authority for Host to agree with', () => {
    assert.deepEqual(parseTarget('http://example.com:80/a?b'), {
      origin: '/a?b',
      path: '/a',
      authority: 'example.com:80',
    });
    assert.deepEqual(parseTarget('HTTPS://[::1]/'), { origin: '/', path: '/', authority: '[::1]' });
  });

  it('has the path / where it has none', () => {
    assert.deepEqual(parseTarget('http://h'), { origin: '/', path: '/', authority: 'h' });
    assert.deepEqual(parseTarget('http://h?q'), { origin: '/?q', path: '/', authority: 'h' });
  });

  it('is cleaned like any other', () => {
    assert.equal(origin('http://h/a/../b'), '/b');
    assert.equal(parseTarget('http://h/..'), null);
    assert.equal(parseTarget('http://h/%00'), null);
  });
});

describe('what is no target', () => {
  it('is refused: other forms, fragments, blanks and controls', () => {
    const raws = [
      '',
      '*',
      'a',
      'example.com:443',
      'ftp://h/',
      'http:/h',
      'http://',
      'http:///a',
      'javascript:x',
    ];
    raws.push(
      '/a#b',
      'http://h/#x',
      'http://h#x',
      '/a b',
      '/a\tb',
      '/a\r\nHost:x',
      '/\0',
      '/\x7f',
      '/\u012f',
    );
    for (const raw of raws) assert.equal(parseTarget(raw), null, JSON.stringify(raw));
  });
});

describe('any target', () => {
  it('has a path without dot segments, doubled slashes or parameters, and sends none of the first', () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const target = parseTarget(raw);
        if (target === null) return;
        assert.match(target.path, /^\//);
        assert.doesNotMatch(target.path, /\/\/|\\|;|\/\.\.?(?:\/|$)/);
        const [sentPath = ''] = target.origin.split('?');
        assert.doesNotMatch(sentPath, /^\/[/\\]/);
        assert.doesNotMatch(decodeURIComponent(sentPath.replace(/%ff/gi, 'x')), /[/\\]\.\.?(?:[/\\;]|$)/);
      }),
      { seed: 3, numRuns: 2000 },
    );
  });

  it('leads to the same place when it passes a second Signalbox', () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const target = parseTarget(raw);
        if (target !== null) assert.deepEqual(parseTarget(target.origin), target);
      }),
      { seed: 4, numRuns: 2000 },
    );
  });

  it('has the path that a servlet container reads, where that reads escaped semicolons as plain ones', () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const target = parseTarget(raw);
        if (target === null || raw.includes('%ff')) return;
        // Jakarta Servlet 6.0 §3.5.2: cut parameters off, decode, then drop empty segments.
        const [sentPath = ''] = target.origin.replaceAll(/%3b/gi, ';').split('?');
        const read = decodeURIComponent(sentPath.replaceAll(/;[^/]*/g, ''));
        assert.equal(target.path, read.replaceAll(/[/\\]+/g, '/'));
      }),
      { seed: 6, numRuns: 2000 },
    );
  });

  it('with dot segments is where the WHATWG URL standard says, if it is anywhere', () => {
    const segments = fc.constantFrom('.', '..', '%2e', '.%2E', 'a', 'b.', '%20');
    fc.assert(
      fc.property(fc.array(segments, { minLength: 1 }), (parts) => {
        const target = parseTarget(`/${parts.join('/')}`);
        if (target !== null) assert.equal(target.origin, new URL(`/${parts.join('/')}`, 'http://h').pathname);
      }),
      { seed: 5, numRuns: 1000 },
    );
  });

  it('says the same whatever was asked for before it', () => {
    const plain = fc.stringMatching(/^\/[ab]{0,3}(\/[ab]{1,3})?$/);
    const path = fc.oneof(plain, hostile).filter((raw) => !raw.includes('?'));
    // What has a query is read anew each time.
    const query = '?q';
    fc.assert(
      fc.property(fc.array(path, { maxLength: 20 }), (paths) => {
        for (const raw of [...paths, ...paths]) {
          const read = parseTarget(raw);
          const anew = parseTarget(raw + query);
          assert.deepEqual(read, anew && { ...anew, origin: anew.origin.slice(0, -query.length) });
        }
      }),
    );
  });

  it('is read in linear time, however hostile', () => {
    const startMs = performance.now();
    for (const unit of [
      '//',
      '/.',
      '/..',
      '%2e',
      '%',
      '\\',
      '/..;',
      '.',
      ';',
      '/%2e',
      '/a/..',
      '?',
      '/%2e%2e%3b',
    ])
      for (const start of ['/', 'http://h/', 'http://']) parseTarget(start + unit.repeat(20_000));
    assert.ok(performance.now() - startMs < 3000);
  });
});

describe('the server as a whole', () => {
  it('is named by an asterisk, or by no path at all', () => {
    assert.deepEqual(parseServerTarget('*'), { origin: '*', path: '*', authority: null });
    assert.deepEqual(parseServerTarget('http://a:8'), { origin: '*', path: '*', authority: 'a:8' });
    for (const raw of ['', '/', '**', '*/', '/*', 'http://a/', 'http://a?b', 'http://', 'a:8'])
      assert.equal(parseServerTarget(raw), null, raw);
  });
});
