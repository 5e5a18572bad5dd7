/** What the schema's files have in common: words for messages, and rules between keys. */

import { z } from 'zod';

// A configuration is read once: compiling a parser for each of its sections takes longer than to do without, by 10 ms.
z.config({ jitless: true });

type Wording = {
  /** Completes "expected …". */
  readonly expected?: string;
  /** Values here and below are never printed. */
  readonly secret?: boolean;
};

export const wordings = z.registry<Wording>();

/** Says what a value must be, for messages and for the reference page. */
export function expecting<S extends z.ZodType>(schema: S, expected: string): S {
  wordings.add(schema, { expected });
  return schema;
}

/** Like `expecting`, for values that no message may repeat. */
export function secret<S extends z.ZodType>(schema: S, expected: string): S {
  wordings.add(schema, { expected, secret: true });
  return schema;
}

/** What a view passes on without looking into it, be it there or not. */
export const Anything = z.unknown().optional();

/** `path` starts at the section that the rule is about. */
export type Report = (path: readonly (string | number)[], message: string) => void;

/**
 * Adds a rule that concerns several keys at once. It is checked even when other keys are wrong, so that
 * all mistakes show at once: `view` reads no more of the section than the rule needs, and a rule whose
 * view does not fit is left out until those keys are mended.
 */
export function rule<S extends z.ZodType, V>(
  section: S,
  view: z.ZodType<V>,
  check: (value: V, report: Report) => void,
): S {
  return section.superRefine(
    (value, context) => {
      const seen = view.safeParse(value);
      if (!seen.success) return;
      check(seen.data, (path, message) => context.addIssue({ code: 'custom', path: [...path], message }));
    },
    { when: () => true },
  );
}
