/** TLS with clients: what of it is passed around. */

/** As node:tls names versions. */
export const TLS_VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

/** A certificate and its private key. The key is a secret: it goes to the workers, and nowhere else. */
export type TlsIdentity = {
  /** Host names that it is for, lower case; `*.example.com` stands for one more label. */
  readonly names: readonly string[];
  /** By the wall clock, milliseconds. */
  readonly expiresMs: number;
  /** PEM: the certificate, and those that lead to its root. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
};

/** All that handshakes with clients need beside the settings. It holds secrets. */
export type TlsMaterial = {
  /** At least one; the first is for clients that ask for no name, or for one that nobody has. */
  readonly identities: readonly TlsIdentity[];
  /** PEM certificates that those of clients have to lead to; null where clients are asked for none. */
  readonly clientCa: string | null;
  /** 48 bytes, the same in all workers, so that a client's session is resumed in any of them. */
  readonly ticketKeys: Uint8Array;
};

/**
 * The position of the identity for a host name that a client asks for (RFC 6066 §3), or -1. Whole names go before
 * wildcards, and those stand for exactly one label (RFC 9525 §6.3).
 */
export function identityFor(identities: readonly Pick<TlsIdentity, 'names'>[], serverName: string): number {
  const name = serverName.toLowerCase();
  const exact = identities.findIndex(({ names }) => names.includes(name));
  if (exact !== -1) return exact;
  const dot = name.indexOf('.');
  if (dot < 1) return -1;
  const wildcard = `*${name.slice(dot)}`;
  return identities.findIndex(({ names }) => names.includes(wildcard));
}

/** What a connection of a client is encrypted by. */
export type ClientTls = {
  readonly version: TlsVersion;
  /** Null where the client proved nothing. */
  readonly certificate: ClientCertificate | null;
};

/** Of a client's certificate that was verified. */
export type ClientCertificate = {
  /** The one common name of its subject; empty where there is none, or more than one. */
  readonly commonName: string;
  /** Subject alternative names, as node:crypto writes them: `DNS:one.example, URI:spiffe://two`. */
  readonly alternativeNames: string;
  /** SHA-256 of the certificate, lower-case hex. */
  readonly fingerprint: string;
};
