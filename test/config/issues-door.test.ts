import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load, mistakesIn, UPSTREAMS } from './support.ts';

/** `text` is what `middleware` has, in line 2 from column 14. */
function expectMistakes(text: string, ...expected: string[]): void {
  assert.deepEqual(mistakesIn(`${UPSTREAMS}middleware: {${text}}\n`), expected);
}

describe('access', () => {
  it('names nobody, or what is no address', () => {
    expectMistakes('access: {}', '2:14: middleware.access: names nobody: give `allow` or `deny`');
    expectMistakes(
      'access: {allow: [10.0.0.0/33], deny: [localhost]}',
      '2:31: middleware.access.allow[0]: found `10.0.0.0/33`, expected an IP address, or a block of them such as `10.0.0.0/8`',
      '2:52: middleware.access.deny[0]: found `localhost`, expected an IP address, or a block of them such as `10.0.0.0/8`',
    );
  });

  it('holds where a route says nothing, and with what answers here', () => {
    const { table } = load(
      `${UPSTREAMS}middleware: {access: {deny: [::1]}}\nroutes: [{name: a}, {name: b, host: b, access: false}, {name: c, host: c, access: {allow: [10.0.0.1]}}]\n`,
    );
    const access = new Map(table.routes.map((route) => [route.name, route.access]));
    const general = { allow: [], deny: ['::1'] };
    assert.deepEqual(access.get('a'), general);
    assert.equal(access.get('b'), null);
    assert.deepEqual(access.get('c'), { allow: ['10.0.0.1'], deny: [] });
    assert.deepEqual(table.localDoor, { access: general, cors: null });
  });
});

describe('cors', () => {
  const origin = 'expected `*`, or an origin such as `https://app.example.com`';

  it('has origins that no browser names', () => {
    const origins = ['https://a.example/', 'https://A.example', 'a.example', 'http://a.example:80', 'null'];
    for (const text of origins) {
      expectMistakes(
        `cors: {allow_origins: ["${text}"]}`,
        `2:37: middleware.cors.allow_origins[0]: found \`${text}\`, ${origin}`,
      );
    }
    for (const text of [
      'https://a.example:8443',
      'http://localhost:3000',
      'http://[::1]:1',
      'capacitor://localhost',
    ])
      expectMistakes(`cors: {allow_origins: ["${text}"]}`);
    expectMistakes(
      'cors: {allow_origins: []}',
      '2:21: middleware.cors.allow_origins: found an empty list, expected a list of at least one origin',
    );
  });

  it('lets everyone use credentials', () => {
    const mistake = 'browsers take no `*` with `allow_credentials`: name them';
    expectMistakes(
      'cors: {allow_origins: ["*"], allow_headers: ["*"], expose_headers: ["*"], allow_credentials: true}',
      `2:21: middleware.cors.allow_origins: ${mistake}`,
      `2:43: middleware.cors.allow_headers: ${mistake}`,
      `2:65: middleware.cors.expose_headers: ${mistake}`,
    );
    expectMistakes('cors: {allow_origins: ["*"], allow_headers: ["*"]}');
  });

  it('names some beside all', () => {
    expectMistakes(
      'cors: {allow_origins: ["*", "https://a.example"]}',
      '2:21: middleware.cors.allow_origins: `*` stands for all: leave out the others',
    );
  });

  it('has the documented defaults', () => {
    const { table } = load(`${UPSTREAMS}routes: [{cors: {allow_origins: ["*"]}}]\n`);
    assert.deepEqual(table.routes[0]?.cors, {
      origins: '*',
      methods: 'GET, HEAD, POST',
      headers: '',
      exposedHeaders: '',
      hasCredentials: false,
      maxAgeSeconds: 600,
    });
  });
});
