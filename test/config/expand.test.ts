import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expand } from '#config/expand.ts';
import { load, mistakesIn, UPSTREAMS } from './support.ts';

describe('expand', () => {
  const env = { HOST: 'a.example', EMPTY: '', DOLLARS: `\${HOST}` };
  const textOf = (text: string) => expand(text, env).text;

  it('puts a variable in its place, several times over', () => {
    assert.equal(textOf(`http://\${HOST}:80/\${HOST}`), 'http://a.example:80/a.example');
  });

  it('takes the default where the variable is unset or empty', () => {
    assert.equal(textOf(`\${NONE:-b}\${EMPTY:-c}\${HOST:-d}`), 'bca.example');
    assert.equal(textOf(`<\${NONE:-}>`), '<>');
    assert.equal(textOf(`<\${EMPTY}>`), '<>');
  });

  it('leaves escapes, single dollars and the values of variables as they are', () => {
    assert.equal(textOf(`$\${HOST} $HOST $$ $`), `\${HOST} $HOST $$ $`);
    assert.equal(textOf(`\${DOLLARS}`), `\${HOST}`);
  });

  it('complains of what is missing or malformed, without the value', () => {
    assert.deepEqual(expand(`\${NONE}`, env).mistakes, [
      `the environment has no variable \`NONE\`; set it, or write \`\${NONE:-default}\``,
    ]);
    const malformed = "no variable's name follows `${`; for the text itself, write `$${`";
    for (const text of [`\${`, `\${}`, `\${1}`, `\${A B}`, `\${A:x}`, `x\${HOST`]) {
      assert.deepEqual(expand(text, env).mistakes, [malformed], text);
    }
  });

  it('knows no variable that is only inherited by the object', () => {
    assert.equal(expand(`\${constructor}`, env).mistakes.length, 1);
  });
});

describe('a variable in a configuration', () => {
  it('may be a number or a truth value, in quotes or not, where the key takes one', () => {
    const text = `${UPSTREAMS}server: {listen_port: "\${PORT}"}\nmetrics:\n  enabled: \${METRICS}\n`;
    const { settings } = load(text, { PORT: '8081', METRICS: 'false' });
    assert.equal(settings.server.port, 8081);
    assert.equal(settings.metrics.enabled, false);
  });

  it('stays text where the key takes text, be it all digits', () => {
    const text = `${UPSTREAMS}middleware:\n  auth:\n    valid_tokens:\n      - \${TOKEN}\n`;
    const auth = load(text, { TOKEN: '0012345' }).table.routes[0]?.auth;
    assert.ok(auth?.scheme === 'bearer' && auth.tokenDigests.length === 1);
  });

  it('is no number where only a part of the value is one', () => {
    const mistakes = mistakesIn(`${UPSTREAMS}server:\n  listen_port: 80\${X}\n`, { X: '80' });
    assert.deepEqual(mistakes, [
      '3:16: server.listen_port: found the value of `X`, expected a port from 1 to 65535',
    ]);
  });

  it('cannot become a key or a list', () => {
    const injection = 'a\n  listen_port: 1';
    const mistakes = mistakesIn(`${UPSTREAMS}server:\n  listen_address: \${X}\n`, { X: injection });
    assert.equal(mistakes.length, 1);
    assert.match(mistakes[0] ?? '', /^3:19: server\.listen_address: found the value of `X`, expected an IP/);
    const list = mistakesIn(`${UPSTREAMS}server: {trusted_proxies: "\${X}"}\n`, { X: '[10.0.0.0/8]' });
    assert.match(list[0] ?? '', /found the value of `X`, expected a list/);
  });

  it('is said to be empty when that is what is wrong with it', () => {
    assert.deepEqual(mistakesIn(`${UPSTREAMS}admin:\n  token: \${TOKEN}\n`, { TOKEN: '' }), [
      '3:10: admin.token: found the empty value of `TOKEN`, expected at least 16 visible ASCII characters',
    ]);
  });

  it('is looked for in values only', () => {
    assert.deepEqual(
      mistakesIn(`${UPSTREAMS}pools:\n  \${X}: {upstreams: [{url: 'http://a'}]}\n`, { X: 'p' }),
      [
        `3:3: pools["\${X}"]: the name does not fit, expected a name of at most 64 letters, digits, \`.\`, \`_\` and \`-\`, the first a letter or digit`,
      ],
    );
  });

  it('is a mistake of its own when it is missing, with no other that follows from it', () => {
    const text = `load_balancing:\n  upstreams:\n    - address: \${UP}\n      port: 80\n    - url: \${URL}\n`;
    assert.deepEqual(mistakesIn(text), [
      `3:16: load_balancing.upstreams[0].address: the environment has no variable \`UP\`; set it, or write \`\${UP:-default}\``,
      `5:12: load_balancing.upstreams[1].url: the environment has no variable \`URL\`; set it, or write \`\${URL:-default}\``,
    ]);
  });

  it('does not fill the memory', () => {
    const big = `"\${BIG}",`;
    const text = `${UPSTREAMS}redis: [${big.repeat(100)}]\n`;
    assert.match(
      mistakesIn(text, { BIG: 'x'.repeat(100_000) })[0] ?? '',
      /expand to more than 1048576 characters/,
    );
  });
});
