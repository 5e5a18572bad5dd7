/** Ways through the schema: what may stand at a path, and all sections there are. */

import { z } from 'zod';
import type { Path } from './diagnostics.ts';
import { wordings } from './schema/section.ts';
import { ConfigSchema } from './schema.ts';

export type Schema = z.core.$ZodType;

const WRAPPERS = [z.ZodOptional, z.ZodNullable, z.ZodDefault, z.ZodPrefault];

/** The schema itself, without `optional`, `nullable` and `default` around it. */
export function unwrap(schema: Schema): Schema {
  for (const Wrapper of WRAPPERS) if (schema instanceof Wrapper) return unwrap(schema.unwrap());
  return schema;
}

/** What stands at a path of some data; undefined where nothing does. */
export function valueAt(data: unknown, path: Path): unknown {
  let value = data;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined;
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** All that a value may be: the members of a union, or the one schema. */
export function membersOf(schema: Schema): readonly Schema[] {
  const inner = unwrap(schema);
  return inner instanceof z.ZodUnion ? inner.options.flatMap(membersOf) : [inner];
}

/** The schema at a path of the configuration, or of what else `root` describes; null where there is none. */
export function schemaAt(path: Path, root: Schema = ConfigSchema): Schema | null {
  let schemas: readonly Schema[] = [root];
  for (const key of path) schemas = schemas.flatMap((schema) => childrenOf(schema, key));
  return schemas[0] ?? null;
}

function childrenOf(schema: Schema, key: string | number): readonly Schema[] {
  return membersOf(schema).flatMap((member) => {
    if (member instanceof z.ZodArray) return [member.element];
    if (member instanceof z.ZodRecord) return [member.valueType];
    return member instanceof z.ZodObject && Object.hasOwn(member.shape, key) ? [member.shape[key]] : [];
  });
}

/** How many steps of `path` lead to a secret; null when none do. */
export function secretDepth(path: Path): number | null {
  for (let depth = 1; depth <= path.length; depth++) {
    const schema = schemaAt(path.slice(0, depth));
    if (schema !== null && wordings.get(unwrap(schema))?.secret === true) return depth;
  }
  return null;
}

export type Section = {
  /** Such as `routes[]` and `pools.<name>`; empty for the whole. */
  readonly path: string;
  readonly schema: Schema;
  readonly keys: Readonly<Record<string, Schema>>;
};

/** Every section with keys of its own, outer before inner; one that stands in several places only once. */
export const SECTIONS: readonly Section[] = collectSections();

function collectSections(): readonly Section[] {
  const sections: Section[] = [];
  const seen = new Set<Schema>();
  const visit = (path: string, schema: Schema): void => {
    for (const member of membersOf(schema)) {
      if (member instanceof z.ZodArray) visit(`${path}[]`, member.element);
      if (member instanceof z.ZodRecord) visit(`${path}.<name>`, member.valueType);
      if (!(member instanceof z.ZodObject) || seen.has(member)) continue;
      seen.add(member);
      sections.push({ path, schema: member, keys: member.shape });
      for (const [key, child] of Object.entries(member.shape))
        visit(path === '' ? key : `${path}.${key}`, child);
    }
  };
  visit('', ConfigSchema);
  return sections;
}
