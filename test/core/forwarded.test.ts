import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { forwardedStart } from '#core/forwarded.ts';

const HOSTS = ['a', 'b', 'q', 'a.example.com', 'b.example.com', 'c.example.com:81', 'h'.repeat(300)];

describe('how the fields begin that say how a request came', () => {
  it('names the host that was asked for, whichever were before it', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...HOSTS), { maxLength: 100 }), (hosts) => {
        for (const host of hosts)
          assert.equal(
            forwardedStart('https', host),
            `\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-For: `,
          );
      }),
    );
  });
});
