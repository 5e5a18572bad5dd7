export type JsonObject = Readonly<Record<string, unknown>>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Parses the JSON object that a part of a token is, or returns null: for anything but UTF-8, for other
 * values, and when a name comes twice, since readers differ in which of the two they believe (RFC 7515 §4,
 * RFC 7519 §4).
 */
export function parseJsonObject(bytes: Uint8Array): JsonObject | null {
  try {
    const text = utf8.decode(bytes);
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
    return countMembers(text) === Object.keys(value).length ? (value as JsonObject) : null;
  } catch {
    return null;
  }
}

/** How many members the object has that valid JSON `text` is, repeated names included. */
function countMembers(text: string): number {
  let members = 0;
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (isInString) {
      if (character === '\\') at++;
      else if (character === '"') isInString = false;
    } else if (character === '"') isInString = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    else if (character === ':' && depth === 1) members++;
  }
  return members;
}
