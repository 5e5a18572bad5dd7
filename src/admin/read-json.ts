import type { Readable } from 'node:stream';
import type { z } from 'zod';

/** Of a request's body; far more than anything that is asked for here. */
export const BODY_BYTES_MAX = 64 * 1024;

/** What a request's body says, or a sentence that says what is wrong with it. Quotes nothing of it. */
export async function readJson<Value>(
  body: Readable,
  schema: z.ZodType<Value>,
): Promise<{ readonly value: Value } | { readonly problem: string }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return { problem: `the body is longer than ${BODY_BYTES_MAX} bytes` };
    chunks.push(chunk);
  }
  const parsed = schema.safeParse(parse(Buffer.concat(chunks).toString()));
  if (parsed.success) return { value: parsed.data };
  const [issue] = parsed.error.issues;
  const place = issue === undefined || issue.path.length === 0 ? 'the body' : `\`${issue.path.join('.')}\``;
  return { problem: `${place} is not what is expected: ${issue?.message ?? 'JSON'}` };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
