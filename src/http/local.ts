/** What Signalbox answers itself, on paths that no route gets to see. */
import type { Exchange, RequestHead } from '#actors/request/exchange.ts';
import type { Reply } from '#actors/request/reply.ts';
import { Fields } from '#core/fields.ts';
import type { FlatHeaders } from '#core/headers.ts';
import { endsHere } from '#core/max-forwards.ts';
import { REASON_PHRASES } from '#core/reason-phrases.ts';
import type { PlainCause } from '#core/refusals.ts';
import { addStamp, hasNoLength, type Stamp } from '#core/response-headers.ts';
import type { ControlAnswer, ControlPage } from '#core/worker-messages.ts';
import type { ControlLine } from './control-line.ts';

import type { RequestBody } from './request-body.ts';
import type { RouteLabel } from './request-metrics.ts';
import type { WholeBody } from './whole-body.ts';

/** The answer, or why there is none. */
export type LocalAnswer = ControlAnswer | PlainCause;

/** One request for a local answer. */
export type LocalRequest = Pick<Exchange, 'id' | 'table' | 'request'> & {
  readonly body: RequestBody | WholeBody;
};

/** Its name is its path. */
export interface Local extends RouteLabel {
  /** On refusals as well; answers bring their own. */
  readonly refusalHeaders?: FlatHeaders;
  /** Whether everyone may ask, whatever the door says. */
  readonly isOpen?: boolean;
  /** What each target, or else path, that it answers begins with; null: it may be any. */
  readonly root: string | null;
  answers(head: RequestHead): boolean;
  /** `tell` is called once, now or later. */
  answer(request: LocalRequest, tell: (answer: LocalAnswer) => void): void;
}

export const HEALTH_PATH = '/health';
const HEALTH_HEADERS = ['Content-Type', 'application/json', 'Cache-Control', 'no-store'];

export const health: Local = {
  name: HEALTH_PATH,
  root: HEALTH_PATH,
  isOpen: true,
  answers: ({ target }) => target === HEALTH_PATH,
  answer: ({ table }, tell) =>
    tell({ status: 200, headers: HEALTH_HEADERS, body: Buffer.from(table.healthBody) }),
};

const NO_BODY = new Uint8Array(0);
const OPTIONS_HEADERS = ['Allow', 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'];

/** What the server as a whole is asked for (RFC 9110 §9.3.7), or may not be asked of anyone further on. */
export const serverOptions: Local = {
  name: '*',
  root: null,
  answers: ({ method, target, headers }) => target === '*' || endsHere(method, headers),
  answer: (_, tell) => tell({ status: 200, headers: OPTIONS_HEADERS, body: NO_BODY }),
};

/** What the control plane has to show: metrics, keys. Other methods than these are routed. */
export function controlPage(path: string, control: ControlLine): Local {
  return {
    name: path,
    root: path,
    answers: ({ method, target }) => isAt(target, path) && (method === 'GET' || method === 'HEAD'),
    answer: ({ id, request: { headers, clientAddress } }, tell) =>
      control.ask(
        { method: 'GET', path, headers: headers.flat(), body: NO_BODY, clientAddress, requestId: id },
        tell,
      ),
  };
}

function isAt(target: string, path: string): boolean {
  return target.startsWith(path) && (target.length === path.length || target[path.length] === '?');
}

/** Sends an answer's head and body; the caller ends the reply. */
export function sendLocal(
  reply: Reply,
  answer: ControlPage,
  stamp: Stamp,
  extra: Fields,
  isHead: boolean,
): void {
  const { status, body } = answer;
  const headers = Fields.of(answer.headers);
  if (!hasNoLength(status)) headers.addAll(['Content-Length', `${body.byteLength}`]);
  addStamp(headers, stamp, null);
  headers.append(extra);
  reply.head(status, REASON_PHRASES[status] ?? '', headers);
  if (!isHead) reply.write(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}
