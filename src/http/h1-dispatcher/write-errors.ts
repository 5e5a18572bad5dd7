import type { Socket } from 'node:net';

type Done = (error?: Error | null) => void;

/**
 * Asks `isHeld` about each failure to write before the socket is destroyed over it, which would lose what the
 * peer said before it stopped listening: an early answer, most of all. A socket whose error is held writes no
 * more; what its peer has sent can still be read, up to its end.
 */
export function holdWriteErrors(socket: Socket, isHeld: (error: Error) => boolean): void {
  const write = socket._write;
  const writev = socket._writev;
  // A stream is told by one function of all that it writes.
  let toTell: Done = () => {};
  const tell: Done = (error) => {
    if (!error || !isHeld(error)) toTell(error);
  };
  const heed = (done: Done): Done => {
    toTell = done;
    return tell;
  };
  socket._write = (chunk, encoding, done) => write.call(socket, chunk, encoding, heed(done));
  if (writev) socket._writev = (chunks, done) => writev.call(socket, chunks, heed(done));
}
