import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Environment } from '#config/env.ts';
import { mistakesIn, UPSTREAMS, writeBeside } from './support.ts';

/** `text` is the section `cluster`, in line 2 from column 10. What has no place comes behind its file. */
function expectMistakes(text: string, expected: readonly string[], env: Environment = {}): void {
  assert.deepEqual(
    mistakesIn(`${UPSTREAMS}cluster: ${text}\n`, env).map((line) => line.trim()),
    expected,
  );
}

describe('the cluster', () => {
  it('has names that no subject can hold', () => {
    const id = 'expected 1 to 64 letters, digits, `-` and `_`, the first a letter or digit';
    expectMistakes('{name: a.b, instance_id: "a b", nats: {url: "nats://a", prefix: a_b}}', [
      '2:17: cluster.name: found `a.b`, expected 1 to 64 letters, digits and `-`',
      `2:35: cluster.instance_id: found \`a b\`, ${id}`,
      '2:74: cluster.nats.prefix: found `a_b`, expected words of letters, digits and `-`, joined by dots',
    ]);
    expectMistakes('{}', [`the environment variable \`SIGNALBOX_INSTANCE_ID\` cannot be used: ${id}`], {
      SIGNALBOX_INSTANCE_ID: 'a.b',
    });
  });

  it('has servers that are none, without showing the URL', () => {
    expectMistakes('{nats: {url: "http://hunter2@a"}}', [
      '2:23: cluster.nats.url: server 1 is not of the form nats://host:port',
    ]);
    expectMistakes(
      '{}',
      ['the environment variable `NATS_URL` cannot be used: a % in the user or password is written as %25'],
      { NATS_URL: 'nats://ann:hunter2%@a' },
    );
    expectMistakes('{nats: {url: "nats://a"}}', [], { NATS_URL: 'nonsense://' });
  });

  it('has a bus without a server', () => {
    expectMistakes('{nats: {prefix: a}}', [
      '`cluster.nats` has no `url`, and the environment variable `NATS_URL` is not set, either',
    ]);
  });

  it('has half a login, or two', () => {
    const one = 'give one login: in the `url`, or `user` and `password`, or `token`, or `credentials_file`';
    const url = 'url: "nats://a"';
    expectMistakes(`{nats: {${url}, user: a}}`, ['2:41: cluster.nats.user: needs a `password`']);
    expectMistakes(`{nats: {${url}, password: a}}`, ['2:45: cluster.nats.password: needs a `user`']);
    expectMistakes(`{nats: {${url}, token: a, credentials_file: b}}`, [`2:11: cluster.nats: ${one}`]);
    expectMistakes('{nats: {url: "nats://a@b", token: a}}', [`2:11: cluster.nats: ${one}`]);
  });

  it('names files that are not there, or half of a pair', () => {
    const missing = 'cannot use this file: there is no such file';
    const url = 'url: "nats://a"';
    expectMistakes(
      `{nats: {${url}, credentials_file: no.creds, tls: {cert_file: no.pem, key_file: no.key}}}`,
      [
        `2:53: cluster.nats.credentials_file: ${missing}`,
        `2:80: cluster.nats.tls.cert_file: ${missing}`,
        `2:98: cluster.nats.tls.key_file: ${missing}`,
      ],
    );
    expectMistakes(`{nats: {${url}, tls: {ca_file: no.pem}}}`, [
      `2:50: cluster.nats.tls.ca_file: ${missing}`,
    ]);
    writeBeside('key.pem', 'pem');
    expectMistakes(`{nats: {${url}, tls: {key_file: key.pem}}}`, [
      '2:51: cluster.nats.tls.key_file: found `key.pem`: needs its `cert_file`',
    ]);
  });
});
