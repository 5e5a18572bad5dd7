import type { z } from 'zod';
import type { HeaderRules } from '#core/table.ts';
import type { HeaderRules as HeaderRulesSchema } from '../schema/header-rules.ts';

export type HeaderRulesConfig = z.output<typeof HeaderRulesSchema>;

/**
 * The rules of all routes, then those of one, as one. What a route removes or sets was not set or added
 * before; otherwise, the order remove, set, add would let the general rule have the last word.
 */
export function buildHeaderRules(general: HeaderRulesConfig, own: HeaderRulesConfig): HeaderRules {
  const overruled = new Set([...own.remove, ...Object.keys(own.set)].map((name) => name.toLowerCase()));
  const kept = (values: HeaderRulesConfig['set']) =>
    Object.entries(values).filter(([name]) => !overruled.has(name.toLowerCase()));
  return {
    remove: [...new Set([...general.remove, ...own.remove].map((name) => name.toLowerCase()))],
    set: [...kept(general.set), ...Object.entries(own.set)],
    add: [...kept(general.add), ...Object.entries(own.add)],
  };
}
