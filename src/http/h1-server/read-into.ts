import { Socket } from 'node:net';
import { CLIENT_READS } from '../read-buffers.ts';

/** Told that so many bytes stand at the start of CLIENT_READS; whether to read on. */
type Reader = (bytes: number) => boolean;

/** Where a socket of this Node keeps its `onread`. */
type Places = { readonly buffer: symbol; readonly callback: symbol };

type Handle = { useUserBuffer?(buffer: Buffer): void };
type Insides = { _handle?: Handle | null; [place: symbol]: unknown };

const places = findPlaces();

/**
 * Reads a socket into CLIENT_READS from its next read on, as `onread` does for sockets that connect: Node has no such
 * option for those that a server accepts. What is unshifted still comes as `data`. False, and nothing is changed,
 * for a socket with which it cannot be done: one of TLS, or of a Node that is built otherwise.
 */
export function readInto(socket: Socket, reader: Reader): boolean {
  const insides = socket as unknown as Insides;
  const handle = insides._handle;
  if (places === null || 'encrypted' in socket) return false;
  if (insides[places.buffer] !== null || typeof handle?.useUserBuffer !== 'function') return false;
  handle.useUserBuffer(CLIENT_READS);
  insides[places.buffer] = CLIENT_READS;
  insides[places.callback] = reader;
  return true;
}

/** By what a socket with an `onread` has that others have not. */
function findPlaces(): Places | null {
  const onread = { buffer: Buffer.alloc(1), callback: () => true };
  const socket = new Socket({ onread });
  const insides = socket as unknown as Insides;
  const placeOf = (value: unknown) =>
    Object.getOwnPropertySymbols(insides).find((place) => insides[place] === value);
  const [buffer, callback] = [placeOf(onread.buffer), placeOf(onread.callback)];
  socket.destroy();
  return buffer === undefined || callback === undefined ? null : { buffer, callback };
}
