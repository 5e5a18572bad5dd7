import type { HeaderRules } from './table.ts';

/** Applies remove, then set (which replaces every header of that name), then add. In place. */
export function applyHeaderRules(headers: string[], rules: HeaderRules): void {
  for (const name of rules.remove) dropHeader(headers, name);
  for (const [name, value] of rules.set) {
    dropHeader(headers, name.toLowerCase());
    headers.push(name, value);
  }
  for (const [name, value] of rules.add) headers.push(name, value);
}

function dropHeader(headers: string[], lowerName: string): void {
  for (let at = headers.length - 2; at >= 0; at -= 2) {
    if (headers[at]?.toLowerCase() === lowerName) headers.splice(at, 2);
  }
}
