/** The headers `traceparent` and `tracestate` (https://www.w3.org/TR/trace-context/). */

export type Traceparent = {
  /** 32 lower-case hex digits. */
  readonly traceId: string;
  /** 16 lower-case hex digits. */
  readonly spanId: string;
  readonly isSampled: boolean;
};

/** §3.2.2: version, trace id, parent id and flags; ids of zeros are none, and no version is ff. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const LENGTH = 55;
const SAMPLED = 1;

/** §3.3.1.5 asks for as much to be passed on; more is dropped, as nobody has to store it. */
const TRACESTATE_LENGTH_MAX = 512;
/** §3.3.1.1. */
const TRACESTATE_MEMBERS_MAX = 32;

/** Null where it is malformed. What comes behind the flags, from a later version, is not looked at (§4.3). */
export function readTraceparent(text: string): Traceparent | null {
  if (!TRACEPARENT.test(text)) return null;
  if (text.startsWith('00') && text.length !== LENGTH) return null;
  const flags = Number.parseInt(text.slice(LENGTH - 2, LENGTH), 16);
  return { traceId: text.slice(3, 35), spanId: text.slice(36, 52), isSampled: (flags & SAMPLED) !== 0 };
}

export function formatTraceparent(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}${isSampled ? '-01' : '-00'}`;
}

/** The list as it is to be passed on; null where there is nothing in it, or too much. */
export function readTracestate(list: string): string | null {
  const isPassable =
    list !== '' &&
    list.length <= TRACESTATE_LENGTH_MAX &&
    /^[\t -~]+$/.test(list) &&
    list.split(',').length <= TRACESTATE_MEMBERS_MAX;
  return isPassable ? list : null;
}
