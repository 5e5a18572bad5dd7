import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { load, mistakesIn, UPSTREAMS, writeBeside } from '../support.ts';

const JWT = `${UPSTREAMS}middleware: {auth: {auth_type: jwt}}\n`;

describe('the section accounts', () => {
  it('says how people register and log in', () => {
    const text = `${JWT}accounts:
  register: {reveal: false}
  password: {min_length: 12, require_mixed: false}
  throttle: {attempts: 3, attempts_per_ip: 10, max_delay_seconds: 60, forget_after_seconds: 600}\n`;
    assert.deepEqual(load(text).settings.accounts, {
      isRegisterRevealing: false,
      password: { lengthMin: 12, mustMix: false, commonPasswords: [] },
      throttle: { attemptsMax: 3, attemptsPerIpMax: 10, delayMsMax: 60_000, forgetMs: 600_000 },
    });
  });

  it('[3] names a file of common passwords, one a line, beside the configuration', () => {
    writeBeside('common.txt', 'Password1\r\nQwerty123\n\n');
    const text = `${JWT}accounts: {password: {denylist_file: common.txt}}\n`;
    assert.deepEqual(load(text).settings.accounts.password.commonPasswords, ['Password1', 'Qwerty123']);
  });

  it('is wrong where the file is not there, or a password could be shorter than 8', () => {
    const missing = mistakesIn(`${JWT}accounts: {password: {denylist_file: missing.txt}}\n`);
    assert.match(missing.join(), /accounts\.password\.denylist_file: cannot use this file: there is no such/);
    assert.match(mistakesIn(`${JWT}accounts: {password: {min_length: 7}}\n`).join(), /from 8 to 128/);
  });

  it('has no effect without tokens, and says so', () => {
    const { warnings } = load(`${UPSTREAMS}accounts: {}\n`);
    assert.match(warnings.map(({ message }) => message).join(), /no route has `auth_type: jwt`/);
  });
});
