import { z } from 'zod';
import { ConfigSchema } from './schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A value in which a variable is yet to be expanded. */
const VARIABLE = { type: 'string', pattern: '\\$\\{' } as const;

/** The schema as JSON Schema (draft 7, which editors know best), for completion and checks while typing. */
export function renderJsonSchema(): string {
  const { $schema, ...schema } = z.toJSONSchema(ConfigSchema, {
    target: 'draft-7',
    io: 'input',
    override: ({ jsonSchema }) => adapt(jsonSchema),
  });
  const titled = {
    $schema,
    title: 'Signalbox configuration',
    ...schema,
    definitions: { variable: VARIABLE },
  };
  return `${JSON.stringify(titled, null, 2)}\n`;
}

function adapt(schema: JsonSchema): void {
  if (schema.multipleOf === 1) {
    schema.type = 'integer';
    delete schema.multipleOf;
  }
  if (isEmptyObject(schema.default)) delete schema.default;
  if (schema.anyOf !== undefined) schema.anyOf = flatten(schema.anyOf);
  // Variables stand in values only.
  if (typeof schema.propertyNames === 'object' && schema.propertyNames.anyOf?.[0] !== undefined) {
    schema.propertyNames = schema.propertyNames.anyOf[0];
  }
  if (isConstrained(schema)) {
    const { description, default: fallback, ...constraint } = schema;
    for (const key of Object.keys(constraint)) delete schema[key];
    schema.anyOf = [constraint, { $ref: '#/definitions/variable' }];
  }
}

/** Alternatives within alternatives as one list, the variable only once. */
function flatten(alternatives: JsonSchema[]): JsonSchema[] {
  const all = alternatives.flatMap((each) => each.anyOf ?? [each]);
  const isVariable = (each: JsonSchema) => each.$ref !== undefined;
  return [...all.filter((each) => !isVariable(each)), ...all.filter(isVariable).slice(0, 1)];
}

/** Whether a variable in the place of the value would not fit. */
function isConstrained({ type, pattern, minLength, enum: choices, const: only }: JsonSchema): boolean {
  if (type === 'integer' || type === 'boolean') return true;
  return [pattern, minLength, choices, only].some((constraint) => constraint !== undefined);
}

function isEmptyObject(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  );
}
