import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JsMsg } from '@nats-io/jetstream';
import { headers } from 'nats';
import { MESSAGE_BYTES_MAX, type WatchEvent } from '#bus/contract.ts';
import { NatsReader } from '#bus/nats-reader.ts';

function read() {
  const told: WatchEvent[] = [];
  let rejects = 0;
  const reader = new NatsReader({
    subjectPrefix: '$KV.things.',
    epoch: 'first',
    tell: (event) => told.push(event),
    rejected: () => rejects++,
  });
  return { reader, told, rejects: () => rejects };
}

type Delivery = { readonly key: string; readonly revision: number; readonly pending?: number };

/** The `nth` message of a consumer, as the client library hands it over. */
function message(nth: number, { key, revision, pending = 0 }: Delivery, header?: string, data = 'x'): JsMsg {
  const marked = headers();
  if (header !== undefined) marked.set(header, 'DEL');
  return {
    subject: `$KV.things.${key}`,
    data: Buffer.from(data),
    headers: header === undefined ? undefined : marked,
    info: { deliverySequence: nth, streamSequence: revision, pending },
  } as unknown as JsMsg;
}

const words = (events: readonly WatchEvent[]) =>
  events.map((event) =>
    event.type === 'content'
      ? `content ${event.entries.map(({ key, revision }) => `${key}@${revision}`).join(' ')}`
      : event.type === 'put'
        ? `${event.entry.key}@${event.entry.revision}`
        : `${event.key} deleted@${event.revision}`,
  );

describe('the reader of a bucket in NATS', () => {
  it('tells the content when nothing is pending, then changes', () => {
    const { reader, told } = read();
    reader.take(message(1, { key: 'red', revision: 3, pending: 3 }));
    reader.take(message(2, { key: 'blue', revision: 5, pending: 2 }));
    reader.take(message(3, { key: 'red', revision: 6, pending: 1 }));
    assert.ok(!reader.isCaughtUp);
    reader.take(message(4, { key: 'green', revision: 7 }, 'KV-Operation', ''));
    reader.take(message(5, { key: 'green', revision: 8 }));
    reader.take(message(6, { key: 'green', revision: 9 }, 'Nats-Marker-Reason', ''));
    assert.deepEqual(words(told), ['content blue@5 red@6', 'green@8', 'green deleted@9']);
  });

  it('throws when a message is missing', () => {
    const { reader, told } = read();
    reader.take(message(1, { key: 'red', revision: 1 }));
    assert.throws(() => reader.take(message(3, { key: 'red', revision: 3 })), /message 2 is missing/);
    assert.equal(told.length, 1);
  });

  it('tells a write once, however often it is delivered', () => {
    const { reader, told } = read();
    reader.take(message(1, { key: 'red', revision: 4, pending: 1 }));
    reader.take(message(2, { key: 'red', revision: 4 }));
    reader.take(message(3, { key: 'red', revision: 4 }));
    assert.deepEqual(words(told), ['content red@4']);
  });

  // Once taken for deleted: whoever could write too much could make upstreams vanish.
  it('takes what is too large for unreadable, and passes over what is no key', () => {
    const { reader, told, rejects } = read();
    reader.take(message(1, { key: 'no~key', revision: 1 }));
    reader.take(message(2, { key: 'red', revision: 2 }, undefined, 'x'.repeat(MESSAGE_BYTES_MAX + 1)));
    assert.deepEqual(words(told), ['content ', 'red@2']);
    assert.equal(rejects(), 2);
  });
});
