import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { openStore } from '#accounts/store/open.ts';
import { systemClock } from '#core/clock.ts';
import { CutLine } from '#test/support/cut-line.ts';
import { TestPostgres } from '#test/support/postgres.ts';
import { PASSWORD, registered, startAccounts, type TestAccounts, tokensOf, USER } from './instance.ts';

/** More than any request has. */
const PIECES_MAX = 50;
const UNLIMITED = { attemptsMax: 1e6, attemptsPerIpMax: 1e6, delayMsMax: 1000, forgetMs: 60_000 };

let people = 0;

/** Somebody new for each try, so that what became of the one before does not matter. */
async function newcomer(accounts: TestAccounts) {
  const user = { ...USER, email: `user${people++}@example.com` };
  return { user, ...(await registered(accounts, user)) };
}

type Try = { readonly name: string; readonly body: object; readonly token?: string };

/** Requests of one kind, and what may be answered to one that is sent again. */
const KINDS: Readonly<
  Record<string, { again: readonly number[]; make(accounts: TestAccounts): Promise<Try> }>
> = {
  register: {
    again: [201, 409],
    make: async () => ({ name: 'register', body: { ...USER, email: `user${people++}@example.com` } }),
  },
  login: {
    again: [200],
    make: async (accounts) => ({ name: 'login', body: (await newcomer(accounts)).user }),
  },
  refresh: {
    again: [200],
    make: async (accounts) => ({
      name: 'refresh',
      body: { refresh_token: (await newcomer(accounts)).refresh },
    }),
  },
  logout: {
    again: [200],
    make: async (accounts) => ({
      name: 'logout',
      body: { refresh_token: (await newcomer(accounts)).refresh },
    }),
  },
  'logout-all': {
    again: [200, 401],
    make: async (accounts) => ({
      name: 'logout-all',
      body: { refresh_token: (await newcomer(accounts)).refresh },
    }),
  },
  password: {
    again: [200, 401, 403],
    make: async (accounts) => ({
      name: 'password',
      body: { current_password: PASSWORD, new_password: 'AnotherPass456!' },
      token: (await newcomer(accounts)).access,
    }),
  },
};

async function scene(t: TestContext) {
  const postgres = await TestPostgres.start();
  t.after(() => postgres[Symbol.asyncDispose]());
  const line = await CutLine.start(t, postgres.port);
  const url = (await postgres.createDatabase()).replace(`:${postgres.port}/`, `:${line.port}/`);
  const settings = { kind: 'postgres', url, connectionsMax: 2, connectionsMin: 0 } as const;
  const store = await openStore(settings, systemClock);
  t.after(() => store[Symbol.asyncDispose]());
  return { line, accounts: await startAccounts(t, { store, accounts: { throttle: UNLIMITED } }) };
}

describe('a line to the database that breaks', () => {
  for (const loses of ['request', 'answer'] as const) {
    it(`[41] before the ${loses} of any statement gives 503, and sent again, all is well`, async (t) => {
      const { line, accounts } = await scene(t);
      for (const [kind, { again, make }] of Object.entries(KINDS)) {
        let broken = 0;
        for (let nth = 1; nth <= PIECES_MAX; nth++) {
          const { name, body, ...sender } = await make(accounts);
          line.arm(nth, loses);
          const { status } = await accounts.post(name, body, sender);
          const isBroken = line.passed >= nth;
          line.heal();
          if (!isBroken) break;
          broken++;
          assert.equal(status, 503, `${kind}, ${nth}`);
          const second = await accounts.post(name, body, sender);
          assert.ok(again.includes(second.status), `${kind}, ${nth}: then ${second.status}`);
          if (kind === 'refresh') {
            const next = { refresh_token: tokensOf(second).refresh };
            assert.equal((await accounts.post('refresh', next)).status, 200);
          }
        }
        assert.ok(broken >= 2 && broken < PIECES_MAX, `${kind}: ${broken} statements`);
      }
    });
  }
});
