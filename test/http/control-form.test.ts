import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { beforeEach, describe, it } from 'node:test';
import type { RequestHead } from '#actors/request/exchange.ts';
import { AUTH_PATHS } from '#core/auth/pages.ts';
import { Fields } from '#core/fields.ts';
import type { FromWorker } from '#core/worker-messages.ts';
import {
  controlForms,
  FORM_BYTES_MAX,
  FORM_MS_MAX,
  FORMS_MAX,
  FORMS_PER_CLIENT_MAX,
  nothingBelow,
} from '#http/control-form.ts';
import { ControlLine } from '#http/control-line.ts';
import type { LocalAnswer, LocalRequest } from '#http/local.ts';
import { RequestBody } from '#http/request-body.ts';
import type { LimitSessions } from '#http/session-limit.ts';
import { sampleTable } from '#test/support/sample-table.ts';
import { VirtualClock } from '#test/support/virtual-clock.ts';

const PATH = '/auth/login';
const JSON_TYPE = ['Content-Type', 'application/json'];

let clock: VirtualClock;
let sent: FromWorker[];
let line: ControlLine;
let answers: LocalAnswer[];

beforeEach(() => {
  clock = new VirtualClock();
  sent = [];
  answers = [];
  line = new ControlLine((message) => sent.push(message), clock);
});

function head(changes: Partial<RequestHead> = {}): RequestHead {
  return {
    method: 'POST',
    target: PATH,
    path: PATH,
    host: 'localhost',
    headers: Fields.of(JSON_TYPE),
    clientAddress: '192.0.2.7',
    peerAddress: '192.0.2.7',
    peerTrusted: false,
    scheme: 'http',
    tls: null,
    protocol: '1.1',
    upgrade: null,
    receivedMs: 0,
    ...changes,
  };
}

function requestOf(bytes: number, changes: Partial<RequestHead> = {}) {
  const source = new PassThrough();
  const body = new RequestBody(
    source,
    bytes,
    { keptBytesMax: 0, bytesMax: null },
    { invite() {}, awaitClient() {} },
  );
  const request: LocalRequest = { id: 'f'.repeat(32), table: sampleTable({}), request: head(changes), body };
  return { source, request };
}

function formsAt(paths: readonly string[], limitSessions: LimitSessions = () => 0) {
  return controlForms(paths, { control: line, limitSessions, ipv6PrefixBits: 64, clock });
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

function send(request: LocalRequest, local = formsAt([PATH])[0]): void {
  local?.answer(request, (answer) => answers.push(answer));
}

describe('a form for the control plane', () => {
  it('is passed on whole, with who sent it', async () => {
    const { source, request } = requestOf(Infinity);
    send(request);
    source.write('{"email":');
    source.end('"a"}');
    await settled();
    const [message] = sent;
    assert.ok(message?.type === 'question');
    const { body, ...question } = message.question;
    assert.equal(Buffer.from(body).toString(), '{"email":"a"}');
    assert.deepEqual(question, {
      method: 'POST',
      path: PATH,
      headers: JSON_TYPE,
      clientAddress: '192.0.2.7',
      requestId: 'f'.repeat(32),
    });
    assert.equal(body.buffer.byteLength, body.byteLength, 'nothing else of the memory goes along');
  });

  it('[36] is refused unread by its method, type or length', () => {
    send(requestOf(0, { method: 'GET' }).request);
    send(requestOf(1, { headers: Fields.of(['Content-Type', 'text/plain']) }).request);
    send(requestOf(1, { headers: new Fields() }).request);
    send(requestOf(FORM_BYTES_MAX + 1).request);
    assert.deepEqual(answers, [
      { refusal: { cause: 'method_not_allowed', allow: 'POST' } },
      'body_not_json',
      'body_not_json',
      'body_too_large',
    ]);
    assert.deepEqual(sent, []);
  });

  // History: of two types, the first was believed; and a coding was not looked at.
  it('[36] is of one type, and in no coding', () => {
    for (const headers of [
      [...JSON_TYPE, 'Content-Type', 'text/plain'],
      [...JSON_TYPE, ...JSON_TYPE],
      [...JSON_TYPE, 'Content-Encoding', 'gzip'],
      ['Content-Type', 'application/json, text/plain'],
    ]) {
      send(requestOf(10, { headers: Fields.of(headers) }).request);
    }
    assert.deepEqual(answers, ['body_not_json', 'body_not_json', 'body_not_json', 'body_not_json']);
  });

  it('[5] is taken so often from one address at most, where the control plane has no limit itself', () => {
    const asked: string[] = [];
    const limit = (address: string) => {
      asked.push(address);
      return 7;
    };
    const locals = formsAt(AUTH_PATHS, limit);
    for (const local of locals) send(requestOf(10).request, local);
    // Registering and logging in are counted by the control plane.
    assert.equal(asked.length, AUTH_PATHS.length - 2);
    const limited = { refusal: { cause: 'rate_limited', retryAfterSeconds: 7 } };
    assert.deepEqual(
      answers,
      asked.map(() => limited),
    );
    assert.deepEqual(new Set(asked), new Set(['192.0.2.7']));
  });

  it('[36] is refused when it turns out to be too long, does not come, or breaks off', async () => {
    const long = requestOf(Infinity);
    send(long.request);
    long.source.write(Buffer.alloc(FORM_BYTES_MAX + 1));
    await settled();
    send(requestOf(10).request);
    clock.advance(FORM_MS_MAX);
    const broken = requestOf(10);
    send(broken.request);
    await settled();
    broken.source.destroy();
    await settled();
    assert.deepEqual(answers, ['body_too_large', 'request_timeout', 'malformed_request']);
    assert.equal(clock.timers, 0);
  });

  it('[5] waits with so many others at most', () => {
    const local = formsAt([PATH])[0];
    const post = (nth: number) => send(requestOf(10, { clientAddress: `192.0.2.${nth % 4}` }).request, local);
    for (let nth = 0; nth < FORMS_MAX; nth++) post(nth);
    assert.deepEqual(answers, []);
    post(0);
    assert.deepEqual(answers, ['overloaded']);
    clock.advance(FORM_MS_MAX);
    assert.equal(answers.length, FORMS_MAX + 1);
    post(0);
    assert.equal(answers.length, FORMS_MAX + 1);
  });

  // History: one client that sent slowly took all places, and nobody could log in.
  it('[5] leaves room for those of other clients, a whole /64 being one', () => {
    const local = formsAt([PATH])[0];
    const post = (clientAddress: string) => send(requestOf(10, { clientAddress }).request, local);
    for (let nth = 0; nth < FORMS_PER_CLIENT_MAX; nth++) post(`2001:db8::${nth.toString(16)}`);
    post('2001:db8::ffff');
    post('2001:db8:0:1::1');
    assert.deepEqual(answers, ['overloaded']);
  });

  it('is known by its path, however that is spelled', () => {
    const [form] = formsAt([PATH]);
    assert.equal(form?.answers(head({ target: '/auth/%6cogin?x=1' })), true);
    assert.equal(form?.answers(head({ path: '/auth/logins' })), false);
    const rest = nothingBelow('/auth');
    const paths = ['/auth', '/auth/', '/auth/x', '/authors'].map((path) => rest.answers(head({ path })));
    assert.deepEqual(paths, [true, true, true, false]);
  });
});
