import { z } from 'zod';
import { rule } from './section.ts';
import { AddressBlock } from './values.ts';

const AccessSection = z.strictObject({
  allow: z
    .array(AddressBlock)
    .default([])
    .describe('Clients that may ask; all others get 403. Empty: everyone.'),
  deny: z.array(AddressBlock).default([]).describe('Clients that get 403, be they allowed or not.'),
});

const View = z.object({ allow: z.array(z.unknown()), deny: z.array(z.unknown()) });

/** Which addresses may ask. */
export const Access = rule(AccessSection, View, ({ allow, deny }, report) => {
  if (allow.length === 0 && deny.length === 0) report([], 'names nobody: give `allow` or `deny`');
});
