/** What clients send to `/auth/*`, and what they are answered. */
import type { QuestionHandler, QuestionHandlers } from '#control/questions.ts';
import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import { type JsonObject, parseJsonObject } from '#core/jwt/json-object.ts';
import type { Keyring } from '#core/jwt/keyring.ts';
import type { Refusal } from '#core/refusals.ts';
import type { ControlAnswer, ControlQuestion } from '#core/worker-messages.ts';
import type { Log } from '#telemetry/log.ts';
import { type Bearer, readBearer } from './bearer.ts';
import { type AccountService, type Caller, CHALLENGE, type Credentials } from './service.ts';
import type { Grant, Sessions } from './sessions.ts';

/** After which the database may be back. */
const RETRY_SECONDS = 2;

const HEADERS = ['Content-Type', 'application/json', 'Cache-Control', 'no-store'];

export type AuthPagesOptions = {
  readonly service: AccountService;
  readonly sessions: Sessions;
  readonly keyring: () => Keyring;
  readonly clock: Clock;
  readonly log: Log;
};

type Answerer = (body: JsonObject, question: ControlQuestion) => Promise<ControlAnswer>;

export class AuthPages {
  readonly #options: AuthPagesOptions;
  #isStoreDown = false;

  constructor(options: AuthPagesOptions) {
    this.#options = options;
  }

  handlers(): QuestionHandlers {
    return new Map([
      ['POST /auth/register', this.#guarded(false, (body, question) => this.#register(body, question))],
      ['POST /auth/login', this.#guarded(false, (body, question) => this.#login(body, question))],
      ['POST /auth/refresh', this.#guarded(false, (body) => this.#refresh(body))],
      ['POST /auth/logout', this.#guarded(true, (body, question) => this.#logOut(body, question))],
      ['POST /auth/logout-all', this.#guarded(true, (body, question) => this.#logOutAll(body, question))],
    ]);
  }

  async #register(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const credentials = readLogin(body);
    if (credentials === null) return refuse(LOGIN_EXPECTED);
    const result = await this.#options.service.register(credentials, callerOf(question));
    if (result === 'accepted') return page(202, { message: 'If the email was free, you can log in now' });
    return 'cause' in result ? refuse(result) : page(201, loggedIn(result));
  }

  async #login(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const credentials = readLogin(body);
    if (credentials === null) return refuse(LOGIN_EXPECTED);
    const result = await this.#options.service.login(credentials, callerOf(question));
    return 'cause' in result ? refuse(result) : page(200, loggedIn(result));
  }

  async #refresh(body: JsonObject): Promise<ControlAnswer> {
    const token = readRefreshToken(body);
    if (token === undefined || token === null) return refuse(TOKEN_EXPECTED);
    const grant = await this.#options.sessions.refresh(token);
    return grant === null ? refuse(SESSION_ENDED) : page(200, renewed(grant));
  }

  async #logOut(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const token = readRefreshToken(body);
    if (token === undefined) return refuse(TOKEN_EXPECTED);
    const bearer = this.#bearerOf(question);
    if (token === null && bearer === null) return refuse(NOBODY);
    await this.#options.sessions.logOut(token, bearer);
    return page(200, LOGGED_OUT);
  }

  async #logOutAll(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const token = readRefreshToken(body);
    if (token === undefined) return refuse(TOKEN_EXPECTED);
    const isDone = await this.#options.sessions.logOutAll(token, this.#bearerOf(question));
    return isDone ? page(200, LOGGED_OUT) : refuse(NOBODY);
  }

  #bearerOf({ headers }: ControlQuestion): Bearer | null {
    const { keyring, clock } = this.#options;
    return readBearer(headers, keyring(), clock);
  }

  /** Reads the body, and turns a database that is away into an answer. */
  #guarded(mayBeEmpty: boolean, answer: Answerer): QuestionHandler {
    return async (question) => {
      const body = mayBeEmpty && question.body.length === 0 ? {} : parseJsonObject(question.body);
      if (body === null) return refuse({ cause: 'malformed_json' });
      try {
        const answered = await answer(body, question);
        // A refusal may have been made without the database.
        if (!('refusal' in answered)) this.#noteStore(null);
        return answered;
      } catch (error) {
        if (!(error instanceof SignalboxError) || error.blame !== 'operator') throw error;
        this.#noteStore(error.message);
        return refuse({ cause: 'accounts_unavailable', retryAfterSeconds: RETRY_SECONDS });
      }
    };
  }

  /** The first of many failures is logged, and their end. */
  #noteStore(problem: string | null): void {
    const { log } = this.#options;
    const isDown = problem !== null;
    if (isDown && !this.#isStoreDown) {
      log.warn({ reason: problem }, 'accounts are not available; proxying goes on');
    }
    if (!isDown && this.#isStoreDown) log.info('accounts are available again');
    this.#isStoreDown = isDown;
  }
}

const LOGGED_OUT = { message: 'Logged out successfully' };
const LOGIN_EXPECTED: Refusal = {
  cause: 'input_invalid',
  detail: 'Expected are the texts `email` and `password`.',
};
const TOKEN_EXPECTED: Refusal = { cause: 'input_invalid', detail: 'Expected is the text `refresh_token`.' };
const SESSION_ENDED: Refusal = { cause: 'session_ended', challenge: CHALLENGE };
const NOBODY: Refusal = { cause: 'credentials_missing', challenge: CHALLENGE };

function refuse(refusal: Refusal): ControlAnswer {
  return { refusal };
}

function page(status: number, content: unknown): ControlAnswer {
  return { status, headers: HEADERS, body: Buffer.from(`${JSON.stringify(content)}\n`) };
}

function loggedIn({ user, access, refreshToken }: Grant) {
  return {
    user_id: user.id,
    email: user.email,
    access_token: access.token,
    refresh_token: refreshToken,
    token_type: 'Bearer',
    expires_in: access.expiresInSeconds,
  };
}

function renewed({ access, refreshToken }: Grant) {
  return {
    access_token: access.token,
    token_type: 'Bearer',
    expires_in: access.expiresInSeconds,
    refresh_token: refreshToken,
  };
}

/** Null for other types; fields that nobody knows are ignored. */
function readLogin({ email, password }: JsonObject): Credentials | null {
  return typeof email === 'string' && typeof password === 'string' ? { email, password } : null;
}

/** Null when it is left out, undefined when it is no text. */
function readRefreshToken({ refresh_token: token }: JsonObject): string | null | undefined {
  if (token === undefined) return null;
  return typeof token === 'string' ? token : undefined;
}

function callerOf({ clientAddress, requestId }: ControlQuestion): Caller {
  return { address: clientAddress, requestId };
}
