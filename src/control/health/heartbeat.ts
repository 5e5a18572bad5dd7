/** What an instance says to the others, each second and whenever an opinion of its own has changed. */
import { z } from 'zod';
import { MESSAGE_BYTES_MAX } from '#bus/contract.ts';
import { MessageType, type Typed } from '#bus/messages.ts';
import type { Word } from '#core/agreement/agreement.ts';
import type { Opinion } from '#core/agreement/opinion.ts';

export const HEARTBEAT_SUBJECT = 'heartbeat';

/** Of one message; whoever has more says them in several, and with the longest names they just fit. */
export const OPINIONS_PER_MESSAGE_MAX = 256;

/** A pool, a name in it, and where that is: `default/red/10.0.0.7:8080`. */
const Upstream = z.string().regex(/^[!-~]{3,583}$/);
const Reason = z.string().regex(/^[ -~]{0,80}$/);
const Count = z.number().int().min(0);

const Heartbeat = z.strictObject({
  incarnation: Count,
  is_leaving: z.boolean(),
  version: z.string().regex(/^[!-~]{1,64}$/),
  revision: Count,
  checksum: z.string().regex(/^[!-~]{0,128}$/),
  watch_age_ms: z.number().min(0).nullable(),
  opinions: z
    .array(z.tuple([Upstream, z.enum(['up', 'down', 'unknown']), Reason]))
    .max(OPINIONS_PER_MESSAGE_MAX),
});

export type Heartbeat = z.output<typeof Heartbeat>;

export function heartbeatType(): MessageType<Heartbeat> {
  return new MessageType({
    version: 1,
    bytesMax: MESSAGE_BYTES_MAX,
    parse: (body) => Heartbeat.parse(body),
  });
}

export function heartbeatOf({ from, stamp, introduction, isLeaving, opinions }: Word): Typed<Heartbeat> {
  return {
    from,
    sequence: stamp.sequence,
    body: {
      incarnation: stamp.incarnation,
      is_leaving: isLeaving,
      version: introduction.version,
      revision: introduction.revision,
      checksum: introduction.checksum,
      watch_age_ms: introduction.watchAgeMs,
      opinions: opinions.map(([upstream, { verdict, reason }]) => [upstream, verdict, reason]),
    },
  };
}

export function wordOf({ from, sequence, body }: Typed<Heartbeat>): Word {
  const { incarnation, version, revision, checksum } = body;
  return {
    from,
    stamp: { incarnation, sequence },
    introduction: { version, revision, checksum, watchAgeMs: body.watch_age_ms },
    isLeaving: body.is_leaving,
    opinions: body.opinions.map(([upstream, verdict, reason]): [string, Opinion] => [
      upstream,
      { verdict, reason },
    ]),
  };
}
