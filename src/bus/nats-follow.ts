import { AckPolicy, DeliverPolicy, type PushConsumer } from '@nats-io/jetstream';
import { nanos, nuid } from 'nats';
import type { WatchEvent } from './contract.ts';
import { NatsReader } from './nats-reader.ts';
import type { NatsSession } from './nats-session.ts';

/** The server says so often that nothing is missing; after two that did not come, the place is lost. */
const HEARTBEAT_MS = 1_000;
/** The server forgets a consumer that nobody has listened to for so long. */
const FORGET_MS = 10_000;

export type Following = {
  readonly session: NatsSession;
  readonly stream: string;
  /** What subjects of the bucket begin with, the last dot included. */
  readonly subjectPrefix: string;
  /** The same of subjects that the server delivers to. */
  readonly deliverPrefix: string;
  /** Must not throw. */
  readonly tell: (event: WatchEvent) => void;
  /** Nothing is missing at this moment. */
  readonly confirm: () => void;
  /** Something in the bucket that no instance would have written. */
  readonly rejected: () => void;
};

/**
 * Reads a bucket's content, then its changes. Rejects, with why, as soon as a change may have been missed:
 * whoever wants to go on begins anew. The library's own watch would go on from where it was, which is
 * nowhere in a stream that was lost and made anew.
 */
export async function follow(following: Following, signal: AbortSignal): Promise<never> {
  const { session, stream, subjectPrefix, deliverPrefix } = following;
  const { consumers, streams } = session.jsm;
  const name = `watch-${nuid.next()}`;
  const delivery = { deliver_subject: `${deliverPrefix}${name}`, idle_heartbeat: nanos(HEARTBEAT_MS) };
  const { num_pending: pending } = await consumers.add(stream, {
    ...delivery,
    name,
    filter_subject: `${subjectPrefix}>`,
    deliver_policy: DeliverPolicy.LastPerSubject,
    ack_policy: AckPolicy.None,
    max_deliver: 1,
    flow_control: true,
    mem_storage: true,
    num_replicas: 1,
    inactive_threshold: nanos(FORGET_MS),
  });
  try {
    // Asked after the consumer was made: if the stream is replaced from here on, the consumer falls silent.
    const { created: epoch } = await streams.info(stream);
    const reader = new NatsReader({ ...following, epoch });
    if (pending === 0) {
      reader.catchUp();
      following.confirm();
    }
    const consumer = await session.js.consumers.getBoundPushConsumer(delivery);
    const isRead = async () => (await consumers.info(stream, name)).num_pending === 0;
    return await read(consumer, reader, isRead, following.confirm, signal);
  } finally {
    void consumers.delete(stream, name).catch(() => {});
  }
}

async function read(
  consumer: PushConsumer,
  reader: NatsReader,
  isRead: () => Promise<boolean>,
  confirm: () => void,
  signal: AbortSignal,
): Promise<never> {
  const messages = await consumer.consume({
    callback(message) {
      reader.take(message);
      if (reader.isCaughtUp) confirm();
    },
  });
  const stop = () => messages.stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const notice of messages.status()) {
      if (notice.type === 'heartbeats_missed') throw new Error('the server has stopped its heartbeats');
      if (notice.type !== 'heartbeat') continue;
      if (notice.lastConsumerSequence > reader.delivered) throw new Error('the last message is missing');
      // What was still to come may have expired meanwhile.
      if (!reader.isCaughtUp && (await isRead())) reader.catchUp();
      if (reader.isCaughtUp) confirm();
    }
    // Stopped: by the signal, by the loss of the connection, or because the reader threw.
    signal.throwIfAborted();
    throw (await messages.closed()) ?? new Error('the server ended it');
  } finally {
    signal.removeEventListener('abort', stop);
    stop();
  }
}
