/** Answers 101 to whoever asks, and sends back whatever comes then. */
import { createServer } from 'node:net';

const [port] = process.argv.slice(2);
const ACCEPT = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', () => {
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${ACCEPT}\r\n\r\n`,
    );
    socket.pipe(socket);
  });
}).listen(Number(port), '127.0.0.1');
