/** Where something listens. */
export type Endpoint = {
  /** Host name or IP literal, without brackets. */
  readonly address: string;
  readonly port: number;
};

/** As it stands in a URL or a Host header: an IPv6 address in brackets (RFC 3986 §3.2.2). */
export function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}

/** `address:port`. */
export function formatEndpoint({ address, port }: Endpoint): string {
  return `${bracketed(address)}:${port}`;
}
