/**
 * What a client may do on one HTTP/2 connection, beside what the settings say. Frames that are not bounded here cost
 * no more than their bytes: PRIORITY, which nghttp2 does not act on, WINDOW_UPDATE, and types that nobody knows.
 */
import { constants, type ServerSessionOptions } from 'node:http2';
import type { HeadLimits } from '../h1/head-parser.ts';
import type { Rate } from './allowance.ts';

/** Requests given up before they were answered (CVE-2023-44487): a browser may give up a page's worth at once. */
export const RESETS: Rate = { burst: 200, perSecond: 20 };
/** PING frames (CVE-2019-9512). gRPC measures the connection with them, some hundred at the start. */
export const PINGS: Rate = { burst: 1000, perSecond: 100 };
/** SETTINGS frames (CVE-2019-9515). Most clients send one. */
export const SETTINGS: Rate = { burst: 20, perSecond: 1 };
/** Frames that make no sense, and DATA frames with nothing in them (CVE-2019-9518). */
const INVALID_FRAMES_MAX = 100;
/** Requests beyond those that may be under way at once, for as long as the connection lives. */
const REJECTED_STREAMS_MAX = 1000;
/** Answers to PING and SETTINGS that wait to be read; our own wait for theirs. */
const OUTSTANDING_MAX = 10;
/** Entries of one SETTINGS frame. */
const SETTINGS_ENTRIES_MAX = 32;
/** Of what a client has sent and nobody has read yet: of one stream, and of the connection. */
const STREAM_WINDOW_BYTES = 65_535;
export const CONNECTION_WINDOW_BYTES = 1_048_576;
/** What node:http2 keeps for one session, in MB; beyond, new requests are rejected. */
const SESSION_MB_MAX = 10;
/** RFC 9113 §6.5.2 counts each header as so many bytes more than it has. */
const FIELD_EXTRA_BYTES = 32;

/**
 * As node:http2 takes them. A head that is too large is to be answered with 431, so it is read a little further
 * than it may go; one that goes beyond that is reset. CONTINUATION frames (CVE-2024-27983) are bounded by the
 * same, and by nghttp2 to eight a head.
 */
export function sessionOptions(streamsMax: number, limits: HeadLimits): ServerSessionOptions {
  return {
    maxHeaderListPairs: 2 * limits.fieldsMax,
    maxOutstandingPings: OUTSTANDING_MAX,
    maxSettings: SETTINGS_ENTRIES_MAX,
    maxSessionMemory: SESSION_MB_MAX,
    maxSessionInvalidFrames: INVALID_FRAMES_MAX,
    maxSessionRejectedStreams: REJECTED_STREAMS_MAX,
    // Ours says what was too much, and is the narrower one; this is for what it does not see.
    streamResetBurst: 2 * RESETS.burst,
    streamResetRate: 2 * RESETS.perSecond,
    // What an upstream says twice is passed on twice.
    strictSingleValueFields: false,
    paddingStrategy: constants.PADDING_STRATEGY_NONE,
    settings: {
      enablePush: false,
      enableConnectProtocol: false,
      maxConcurrentStreams: streamsMax,
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxHeaderListSize: 2 * (limits.bytesMax + limits.fieldsMax * FIELD_EXTRA_BYTES),
    },
  };
}
