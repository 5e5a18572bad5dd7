import type { Clock } from '#core/clock.ts';
import { messageOf, SignalboxError } from '#core/errors.ts';

/** A hundred RSA keys have room in it. */
export const JWKS_BYTES_MAX = 64 * 1024;
/** From asking to the last byte. */
export const JWKS_MS_MAX = 5_000;

/**
 * Fetches what an issuer publishes at `jwks_uri`. Follows no redirects: the address that was configured is
 * the one that is trusted. Throws a SignalboxError `jwks_unavailable`, which says why.
 */
export async function fetchJwks(uri: string, clock: Clock, signal: AbortSignal): Promise<string> {
  const late = new AbortController();
  const timer = clock.after(JWKS_MS_MAX, () =>
    late.abort(new Error(`it took longer than ${JWKS_MS_MAX} ms`)),
  );
  try {
    const response = await fetch(uri, {
      headers: { Accept: 'application/jwk-set+json, application/json' },
      redirect: 'error',
      signal: AbortSignal.any([signal, late.signal]),
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`the answer has status ${response.status}`);
    }
    return await textOf(response);
  } catch (error) {
    throw new SignalboxError('jwks_unavailable', 'operator', `${uri}: ${reasonOf(error)}`, { cause: error });
  } finally {
    timer.cancel();
  }
}

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    // Leaving the loop cancels what has not arrived.
    if (bytes > JWKS_BYTES_MAX) throw new Error(`the answer is longer than ${JWKS_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

/** What fetch itself says is only that it failed. */
function reasonOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
