import { type JetStreamClient, type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, PermissionViolationError } from 'nats';
import type { Log } from '#telemetry/log.ts';
import { BusError } from './errors.ts';
import { SendWindow } from './send-window.ts';

/** For one answer of the server's, such as to a read or a write. */
const ANSWER_MS_MAX = 5_000;

/** Subjects whose denial is logged, for one connection. */
const DENIALS_MAX = 32;

/** One connection, from its beginning to its loss; it does not come back. */
export class NatsSession {
  readonly connection: NatsConnection;
  readonly js: JetStreamClient;
  readonly jsm: JetStreamManager;
  readonly window: SendWindow;
  readonly #loss = new AbortController();

  private constructor(connection: NatsConnection, js: JetStreamClient, jsm: JetStreamManager) {
    this.connection = connection;
    this.js = js;
    this.jsm = jsm;
    this.window = new SendWindow(() => connection.flush());
  }

  static async open(connection: NatsConnection, log: Log): Promise<NatsSession> {
    // Whether JetStream is there shows when it is used: to ask first takes a permission of its own.
    const options = { timeout: ANSWER_MS_MAX, checkAPI: false };
    const jsm = await jetstreamManager(connection, options);
    const session = new NatsSession(connection, jetstream(connection, options), jsm);
    void session.#watchOver(log);
    void connection.closed().then((error) => session.#lose(error?.message ?? 'the server closed it'));
    return session;
  }

  /** Aborts, with the reason, when the connection is lost. */
  get lost(): AbortSignal {
    return this.#loss.signal;
  }

  close(why: string): void {
    this.#lose(why);
    void this.connection.close();
  }

  async #watchOver(log: Log): Promise<void> {
    const denied = new Set<string>();
    for await (const status of this.connection.status()) {
      if (status.type === 'staleConnection') this.close('the server does not answer');
      if (status.type !== 'error' || !(status.error instanceof PermissionViolationError)) continue;
      const { operation, subject } = status.error;
      if (denied.size >= DENIALS_MAX || denied.has(subject)) continue;
      denied.add(subject);
      log.error(
        { operation, subject },
        'bus: the server denies this; docs/operations.md lists the permissions needed',
      );
    }
  }

  #lose(why: string): void {
    this.#loss.abort(new BusError('bus_isolated', why));
  }
}
