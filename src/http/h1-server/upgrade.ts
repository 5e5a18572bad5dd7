import type { Minor } from '../h1/start-lines.ts';

const UPGRADES = new Set(['websocket']);

/**
 * The protocol to switch to, lower case, if a request without a body asks for one that we tunnel. HTTP/1.0
 * cannot (RFC 9110 §7.8). `asked` is what `Upgrade` names, lower case.
 */
export function upgradeOf(method: string, minor: Minor, asked: string | null): string | null {
  return asked !== null && method === 'GET' && minor === 1 && UPGRADES.has(asked) ? asked : null;
}
