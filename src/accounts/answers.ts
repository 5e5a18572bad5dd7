/** What clients of `/auth/*` are answered. */
import type { Refusal } from '#core/refusals.ts';
import type { ControlAnswer } from '#core/worker-messages.ts';
import type { Grant } from './sessions.ts';

const HEADERS = ['Content-Type', 'application/json', 'Cache-Control', 'no-store'];

export function refuse(refusal: Refusal): ControlAnswer {
  return { refusal };
}

/** A document that says what has been done. */
export function message(status: number, text: string): ControlAnswer {
  return page(status, { message: text });
}

/** The tokens of a new session, and whose it is. */
export function begun(status: number, { user, access, refreshToken }: Grant): ControlAnswer {
  return page(status, {
    user_id: user.id,
    email: user.email,
    access_token: access.token,
    refresh_token: refreshToken,
    token_type: 'Bearer',
    expires_in: access.expiresInSeconds,
  });
}

/** The next tokens of a session. */
export function renewed({ access, refreshToken }: Grant): ControlAnswer {
  return page(200, {
    access_token: access.token,
    token_type: 'Bearer',
    expires_in: access.expiresInSeconds,
    refresh_token: refreshToken,
  });
}

function page(status: number, content: object): ControlAnswer {
  // In memory of its own: what goes to a worker takes along all of the memory that it is in.
  return { status, headers: HEADERS, body: new TextEncoder().encode(`${JSON.stringify(content)}\n`) };
}
