import type { Socket } from 'node:net';
import type { SecureContext, Server, TLSSocket } from 'node:tls';
import type { Clock, Timer } from '#core/clock.ts';
import { codeOf } from '#core/errors.ts';
import type { ServerTlsSettings } from '#core/settings.ts';
import { type ClientTls, identityFor, type TlsMaterial } from '#core/tls.ts';
import { clientTls } from './client-tls.ts';

/** From when a connection was made, however much is said in it. */
export const HANDSHAKE_MS_MAX = 10_000;

/** Why a handshake came to nothing. */
export type HandshakeFailure =
  | 'client_certificate'
  | 'nothing_in_common'
  | 'refused_by_client'
  | 'malformed'
  | 'left'
  | 'timeout';

/** `secure` goes on in place of the socket that was given. */
type Done = (secure: TLSSocket, tls: ClientTls) => void;

type Waiting = { readonly socket: Socket; readonly timer: Timer; readonly done: Done };

/** Not imported, so that a thread without TLS does without it: 15 ms of a start, and 2 MB. */
const nodeTls = () => process.getBuiltinModule('node:tls');

/** Shakes hands with clients, by the certificate that is for the name that they ask for. */
export class Handshakes {
  readonly #settings: ServerTlsSettings;
  readonly #clock: Clock;
  readonly #failed: (cause: HandshakeFailure) => void;
  /** Listens nowhere: connections are given to it. */
  readonly #server: Server;
  #material: TlsMaterial;
  #contexts: readonly SecureContext[] = [];
  /** By both ends of the connection: all that a secure socket has in common with the one under it. */
  readonly #waiting = new Map<string, Waiting>();
  /** Timed out, and not yet heard of as closed. */
  #timeouts = 0;

  /** `failed` is told of each that came to nothing; its connection is closed. */
  constructor(
    settings: ServerTlsSettings,
    material: TlsMaterial,
    clock: Clock,
    failed: (cause: HandshakeFailure) => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#failed = failed;
    this.#material = material;
    const clients = settings.clientCertificates;
    this.#server = nodeTls().createServer({
      ALPNProtocols: settings.http2StreamsMax === 0 ? ['http/1.1'] : ['h2', 'http/1.1'],
      SNICallback: (name, choose) => choose(null, this.#contextFor(name)),
      requestCert: clients !== null,
      rejectUnauthorized: clients?.isRequired === true,
    });
    this.#server.on('secureConnection', (secure) => this.#onSecure(secure));
    this.#server.on('tlsClientError', (error, secure) => this.#onError(error, secure));
    this.use(material);
  }

  /** From now on; connections that there are, and handshakes under way, keep what they began with. */
  use(material: TlsMaterial): void {
    const { minVersion } = this.#settings;
    const ticketKeys = Buffer.from(material.ticketKeys);
    const options = material.identities.map(({ cert, key }) => ({
      cert,
      key,
      ca: material.clientCa ?? undefined,
      minVersion,
      ticketKeys,
    }));
    this.#contexts = options.map((each) => nodeTls().createSecureContext(each));
    this.#material = material;
    this.#server.setSecureContext(options[0] ?? {});
  }

  /** `done` is called once, or never. */
  begin(socket: Socket, done: Done): void {
    const ends = endsOf(socket);
    const timer = this.#clock.after(HANDSHAKE_MS_MAX, () => {
      this.#timeouts++;
      socket.destroy();
    });
    this.#waiting.set(ends, { socket, timer, done });
    socket.on('close', () => {
      timer.cancel();
      if (this.#waiting.get(ends)?.socket === socket) this.#waiting.delete(ends);
    });
    // Whoever ends its side within a handshake has left.
    socket.allowHalfOpen = false;
    this.#server.emit('connection', socket);
  }

  #contextFor(serverName: string): SecureContext | undefined {
    return this.#contexts[identityFor(this.#material.identities, serverName)];
  }

  #onSecure(secure: TLSSocket): void {
    const ends = endsOf(secure);
    const waiting = this.#waiting.get(ends);
    secure.on('error', () => secure.destroy());
    secure.allowHalfOpen = true;
    // It has just been reset by its client, and knows neither end any more.
    if (waiting === undefined) {
      secure.destroy();
      return;
    }
    this.#waiting.delete(ends);
    waiting.timer.cancel();
    if (this.#isUnproven(secure)) {
      secure.destroy();
      this.#failed('client_certificate');
    } else waiting.done(secure, clientTls(secure));
  }

  /** Where no certificate is required, one that cannot be verified is still no way in. */
  #isUnproven(secure: TLSSocket): boolean {
    const isAsked = this.#settings.clientCertificates !== null;
    return isAsked && !secure.authorized && secure.getPeerX509Certificate() !== undefined;
  }

  #onError(error: Error, secure: TLSSocket): void {
    secure.destroy();
    this.#failed(this.#causeOf(error, secure));
  }

  #causeOf(error: Error, secure: TLSSocket): HandshakeFailure {
    const code = codeOf(error);
    if (code !== 'ECONNRESET') return causeOfCode(code);
    if (secure.authorizationError) return 'client_certificate';
    if (this.#timeouts === 0) return 'left';
    this.#timeouts--;
    return 'timeout';
  }
}

const NOTHING_IN_COMMON =
  /^ERR_SSL_(?:UNSUPPORTED_PROTOCOL|VERSION_TOO_LOW|NO_SHARED_CIPHER|NO_SUITABLE_|NO_APPLICATION_PROTOCOL)/;

/** Codes that node:tls makes of what OpenSSL says. */
function causeOfCode(code: string): HandshakeFailure {
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'client_certificate';
  if (NOTHING_IN_COMMON.test(code)) return 'nothing_in_common';
  if (/_ALERT_/.test(code)) return 'refused_by_client';
  return code.startsWith('ERR_SSL_') ? 'malformed' : 'left';
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
