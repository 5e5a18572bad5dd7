import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { normaliseEmail, normalisePassword, PasswordPolicy } from '#accounts/policy.ts';

const RULES = { lengthMin: 8, mustMix: true, commonPasswords: [] };

function problemOf(policy: PasswordPolicy, text: string): string {
  const choice = policy.choose(text);
  return 'problem' in choice ? choice.problem : '';
}

describe('a password', () => {
  it('[2] is the same however its characters are put together', () => {
    assert.equal(normalisePassword('Caf\u0065\u0301 au lait 1'), normalisePassword('Caf\u00e9 au lait 1'));
  });

  it('[2] keeps its spaces and everything else, up to 128 characters of any script', () => {
    for (const password of [
      '  Spaces kept 1  ',
      '\u0000Zero 1 inside',
      '密码🔑'.repeat(32),
      '🔑'.repeat(128),
    ]) {
      assert.equal(normalisePassword(password), password);
    }
    assert.equal(normalisePassword('🔑'.repeat(129)), null);
    assert.equal(normalisePassword('a'.repeat(129)), null);
  });

  it('[37] is no text when half a character is missing', () => {
    assert.equal(normalisePassword('Secret 1 \ud83d'), null);
  });

  it('[3] needs 8 characters, upper case, lower case and a digit', () => {
    const policy = new PasswordPolicy(RULES);
    assert.equal(problemOf(policy, 'Secure12'), '');
    assert.equal(problemOf(policy, 'Größe１２３'), '');
    assert.match(problemOf(policy, 'Secur12'), /at least 8 characters/);
    for (const password of ['secure12', 'SECURE12', 'Securely']) {
      assert.match(problemOf(policy, password), /upper-case letter, a lower-case letter and a digit/);
    }
  });

  it('[3] can be asked to be longer, and not to be a common one', () => {
    const policy = new PasswordPolicy({ lengthMin: 12, mustMix: false, commonPasswords: ['Password1234'] });
    assert.equal(problemOf(policy, 'correct horse'), '');
    assert.match(problemOf(policy, 'correct hor'), /at least 12/);
    assert.match(problemOf(policy, 'pASSWORD1234'), /most common/);
  });
});

describe('an email', () => {
  it('[8] is trimmed and compared without regard to case on both sides', () => {
    assert.equal(normaliseEmail('  User.Name+Tag@EXAMPLE.com\n'), 'user.name+tag@example.com');
  });

  it('[8] has at most 254 characters, one @ and something on both sides of it', () => {
    assert.equal(normaliseEmail(`${'a'.repeat(242)}@example.com`)?.length, 254);
    const bad = [`${'a'.repeat(243)}@example.com`, 'user', '@example.com', 'user@', 'a@b@c', 'a b@c', ''];
    for (const text of bad) assert.equal(normaliseEmail(text), null, text);
  });

  it('[8] has no control characters, and no halves of characters', () => {
    for (const text of ['a\r\nX-Evil: 1@b', 'a\u0000@b', 'a@b\u0085c', 'a\ud83d@b']) {
      assert.equal(normaliseEmail(text), null, JSON.stringify(text));
    }
  });

  // History: accounts could be made that look like those of others.
  it('[8] has nothing in it that cannot be seen', () => {
    for (const hidden of ['\u200b', '\u202e', '\u00ad', '\u2060', '\ufe0f', '\u3164', '\u{e0041}']) {
      for (const text of [`us${hidden}er@example.com`, `user@exa${hidden}mple.com`]) {
        assert.equal(normaliseEmail(text), null, JSON.stringify(text));
      }
    }
    assert.equal(normaliseEmail('пользователь@例え.jp'), 'пользователь@例え.jp');
  });

  it('[8] has one spelling, of which the spelling is itself', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', maxLength: 20 }),
        fc.string({ unit: 'binary' }),
        (local, domain) => {
          const email = normaliseEmail(`${local}@${domain}`);
          if (email !== null) assert.equal(normaliseEmail(email), email);
        },
      ),
    );
  });
});
