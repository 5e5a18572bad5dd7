import type { Readable } from 'node:stream';
import { z } from 'zod';
import { formatPath } from '#config/diagnostics.ts';
import { didYouMean } from '#config/suggest.ts';
import { type Schema, schemaAt, valueAt } from '#config/walk.ts';
import { describeValue, expectation, hintFor, oneOf } from '#config/wording.ts';
import type { AdminAnswer } from './api.ts';
import { badFields, type FieldProblem, problem } from './problem.ts';

/** Thousands of upstreams, some with certificates. */
const BODY_BYTES_MAX = 8 * 1024 * 1024;
/** Mistakes in one answer. */
const ERRORS_MAX = 20;

export type Parsed<Value> = { readonly value: Value } | { readonly refusal: AdminAnswer };

/** Reads a body as JSON of this form, or says what is wrong with it, field by field. */
export async function readBody<Value>(body: Readable, schema: z.ZodType<Value>): Promise<Parsed<Value>> {
  const bytes = await readBytes(body);
  if (bytes === null) return { refusal: problem(413, `the body has more than ${BODY_BYTES_MAX} bytes`) };
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { refusal: problem(400, 'the body is no JSON') };
  }
  const parsed = schema.safeParse(value, { error: () => '' });
  if (parsed.success) return { value: parsed.data };
  const errors = parsed.error.issues.flatMap((issue) => explain(issue, schema, value));
  return { refusal: badFields(errors.slice(0, ERRORS_MAX)) };
}

async function readBytes(body: Readable): Promise<Uint8Array | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function explain(issue: z.core.$ZodIssue, root: Schema, body: unknown): FieldProblem[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  const schema = schemaAt(path, root) ?? root;
  const field = formatPath(path);
  if (issue.code === 'unrecognized_keys') {
    const known = schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
    return issue.keys.map((key) => ({
      field: formatPath([...path, key]),
      detail: `unknown field${didYouMean(key, known) || `; expected ${oneOf(known)}`}`,
    }));
  }
  if (issue.message !== '') return [{ field, detail: issue.message }];
  const found = valueAt(body, path);
  if (found === undefined) return [{ field, detail: `missing; expected ${expectation(schema)}` }];
  const said = `found ${describeValue(found, schema, false)}, expected ${expectation(schema)}`;
  return [{ field, detail: `${said}${hintFor(found, schema)}` }];
}
