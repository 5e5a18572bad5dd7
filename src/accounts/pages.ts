import type { QuestionHandler, QuestionHandlers } from '#control/questions.ts';
import type { AuthPath } from '#core/auth/pages.ts';
import { SignalboxError } from '#core/errors.ts';
import { type JsonObject, parseJsonObject } from '#core/jwt/json-object.ts';
import type { Refusal } from '#core/refusals.ts';
import type { ControlAnswer, ControlQuestion } from '#core/worker-messages.ts';
import type { Log } from '#telemetry/log.ts';
import { begun, message, refuse, renewed } from './answers.ts';
import { type Bearers, refusalFor } from './bearer.ts';
import {
  LOGIN_EXPECTED,
  PASSWORDS_EXPECTED,
  readLogin,
  readPasswords,
  readRefreshToken,
  TOKEN_EXPECTED,
} from './forms.ts';
import { logIn } from './login.ts';
import { type AccountParts, type Caller, CHALLENGE } from './parts.ts';
import { changePassword } from './password-change.ts';
import { register } from './registration.ts';
import type { Sessions } from './sessions.ts';

const SESSION_ENDED: Refusal = { cause: 'session_ended', challenge: CHALLENGE };
const LOGGED_OUT = message(200, 'Logged out successfully');
const REGISTERED_OR_NOT = message(202, 'If the email was free, you can log in now');

type Answerer = (body: JsonObject, question: ControlQuestion) => Promise<ControlAnswer>;

/** Answers what workers pass on of `/auth/*`. */
export class AuthPages {
  readonly #parts: AccountParts;
  readonly #sessions: Sessions;
  readonly #bearers: Bearers;
  readonly #log: Log;
  #isStoreDown = false;

  constructor(parts: AccountParts, bearers: Bearers) {
    this.#parts = parts;
    this.#sessions = parts.sessions;
    this.#bearers = bearers;
    this.#log = parts.log;
  }

  handlers(): QuestionHandlers {
    const pages: Readonly<Record<AuthPath, QuestionHandler>> = {
      '/auth/register': this.#guarded((body, question) => this.#register(body, question)),
      '/auth/login': this.#guarded((body, question) => this.#logIn(body, question)),
      '/auth/refresh': this.#guarded((body) => this.#refresh(body)),
      '/auth/logout': this.#guarded((body, question) => this.#logOut(body, question), true),
      '/auth/logout-all': this.#guarded((body, question) => this.#logOutAll(body, question), true),
      '/auth/password': this.#guarded((body, question) => this.#changePassword(body, question)),
    };
    return new Map(Object.entries(pages).map(([path, handler]) => [`POST ${path}`, handler]));
  }

  async #register(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const credentials = readLogin(body);
    if (credentials === null) return refuse(LOGIN_EXPECTED);
    const result = await register(this.#parts, credentials, callerOf(question));
    if (result === 'accepted') return REGISTERED_OR_NOT;
    return 'cause' in result ? refuse(result) : begun(201, result);
  }

  async #logIn(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const credentials = readLogin(body);
    if (credentials === null) return refuse(LOGIN_EXPECTED);
    const result = await logIn(this.#parts, credentials, callerOf(question));
    return 'cause' in result ? refuse(result) : begun(200, result);
  }

  async #refresh(body: JsonObject): Promise<ControlAnswer> {
    const token = readRefreshToken(body);
    if (token === undefined || token === null) return refuse(TOKEN_EXPECTED);
    const grant = await this.#sessions.refresh(token);
    return grant === null ? refuse(SESSION_ENDED) : renewed(grant);
  }

  async #logOut(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const token = readRefreshToken(body);
    if (token === null) return refuse(TOKEN_EXPECTED);
    const bearer = this.#bearers.read(question.headers);
    const isBearer = typeof bearer === 'object';
    if (bearer === 'ambiguous' || (token === undefined && !isBearer)) return refuse(refusalFor(bearer));
    await this.#sessions.logOut(token ?? null, isBearer ? bearer : null, callerOf(question));
    return LOGGED_OUT;
  }

  async #logOutAll(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const token = readRefreshToken(body);
    if (token === null) return refuse(TOKEN_EXPECTED);
    const bearer = this.#bearers.read(question.headers);
    if (bearer === 'ambiguous') return refuse(refusalFor(bearer));
    const live = typeof bearer === 'object' && !bearer.isRevoked ? bearer : null;
    const isDone = await this.#sessions.logOutAll(token ?? null, live, callerOf(question));
    if (isDone) return LOGGED_OUT;
    return refuse(token === undefined ? refusalFor(bearer) : SESSION_ENDED);
  }

  async #changePassword(body: JsonObject, question: ControlQuestion): Promise<ControlAnswer> {
    const bearer = this.#bearers.read(question.headers);
    if (typeof bearer !== 'object' || bearer.isRevoked) return refuse(refusalFor(bearer));
    const passwords = readPasswords(body);
    if (passwords === null) return refuse(PASSWORDS_EXPECTED);
    const result = await changePassword(this.#parts, bearer.userId, passwords, callerOf(question));
    if (result === null) return refuse(refusalFor(bearer));
    return 'cause' in result ? refuse(result) : begun(200, result);
  }

  /** Reads the body, and turns a database that is away into an answer. */
  #guarded(answer: Answerer, mayBeEmpty = false): QuestionHandler {
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
        return refuse({ cause: 'accounts_unavailable' });
      }
    };
  }

  /** The first of many failures is logged, and their end. */
  #noteStore(problem: string | null): void {
    const isDown = problem !== null;
    if (isDown && !this.#isStoreDown) {
      this.#log.warn({ reason: problem }, 'accounts are not available; proxying goes on');
    }
    if (!isDown && this.#isStoreDown) this.#log.info('accounts are available again');
    this.#isStoreDown = isDown;
  }
}

function callerOf({ clientAddress, requestId }: ControlQuestion): Caller {
  return { address: clientAddress, requestId };
}
