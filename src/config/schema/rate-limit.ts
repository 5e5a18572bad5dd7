import { z } from 'zod';
import { HeaderKey, ReadHeaderName } from './header-names.ts';
import { Anything, expecting, type Report, rule, secret } from './section.ts';
import { integer } from './values.ts';

const KEYS_MAX = 8;
const REQUESTS_MAX = 60_000_000;
const DAY_SECONDS = 86_400;

const Numbers = {
  requests_per_minute: integer(1, REQUESTS_MAX).optional().describe('Sustained rate of the `token_bucket`.'),
  burst_size: integer(1, REQUESTS_MAX)
    .optional()
    .describe(
      'Requests that the `token_bucket` lets through at once. Default: a tenth of `requests_per_minute`, at least 1.',
    ),
  max_requests: integer(1, REQUESTS_MAX)
    .optional()
    .describe('Requests that the `sliding_window` lets through in any span of `window_seconds`.'),
  window_seconds: integer(1, DAY_SECONDS, 'seconds').optional().describe('Length of the `sliding_window`.'),
};

export type RateNumbers = z.output<z.ZodObject<typeof Numbers>>;

const Key = z.union([z.enum(['client_ip', 'user', 'api_key', 'route', 'path']), HeaderKey]);

// Secret, because a header that tells clients apart may be one that they are known by.
const Texts = secret(z.union([z.string(), z.array(z.string()).min(1)]), 'a text, or a list of texts');

const MatchSection = z.strictObject({
  user: Texts.optional().describe('Users, or a list of them.'),
  header: z
    .strictObject({
      name: ReadHeaderName.describe('Name of the header.'),
      values: Texts.describe('Values that match, or a list of them.'),
    })
    .optional()
    .describe('A request header and its values.'),
});

const MatchView = z.object({ user: Anything, header: Anything });

const Match = rule(MatchSection, MatchView, ({ user, header }, report) => {
  if ((user === undefined) === (header === undefined)) report([], 'give either `user` or `header`');
});

const Algorithm = z.enum(['token_bucket', 'sliding_window']);
export type Algorithm = z.infer<typeof Algorithm>;

const RateLimitSection = z.strictObject({
  enabled: z.boolean().default(true).describe('Whether requests are counted and limited.'),
  algorithm: Algorithm.optional().describe(
    'How requests are counted. Default: the one whose numbers are given.',
  ),
  ...Numbers,
  key: z
    .union([Key, expecting(z.array(Key).min(1).max(KEYS_MAX), `a list of 1 to ${KEYS_MAX} keys`)])
    .optional()
    .describe(
      'What tells clients apart; a list counts each combination by itself. A request without the header or user counts by its `client_ip`. Default: `user` on routes with authentication, else `client_ip`.',
    ),
  scope: z
    .enum(['cluster', 'instance'])
    .default('cluster')
    .describe('Who counts together: all instances that share a bus, or each instance for itself.'),
  tiers: z
    .array(
      z.strictObject({
        match: Match.describe('Who gets these numbers in place of those of the limit.'),
        ...Numbers,
      }),
    )
    .default([])
    .describe('Other numbers for some clients; the first match counts.'),
});

const NumbersView = z.object({
  requests_per_minute: Anything,
  burst_size: Anything,
  max_requests: Anything,
  window_seconds: Anything,
});
type NumbersGiven = z.infer<typeof NumbersView>;

const View = NumbersView.extend({
  enabled: z.boolean(),
  algorithm: Algorithm.optional(),
  tiers: z.array(z.unknown()),
});

export const RateLimit = rule(RateLimitSection, View, (limit, report) => {
  if (!limit.enabled) return;
  const algorithm = algorithmOf(limit);
  checkNumbers(limit, algorithm, [], report);
  for (const [index, tier] of limit.tiers.entries()) {
    const numbers = NumbersView.safeParse(tier);
    if (numbers.success) checkNumbers(numbers.data, algorithm, ['tiers', index], report);
  }
});

/** The algorithm that a limit names, or else the one whose numbers it gives. */
export function algorithmOf(limit: NumbersGiven & { readonly algorithm?: Algorithm | undefined }): Algorithm {
  if (limit.algorithm !== undefined) return limit.algorithm;
  const isWindow = limit.requests_per_minute === undefined && limit.burst_size === undefined;
  return isWindow && (limit.max_requests !== undefined || limit.window_seconds !== undefined)
    ? 'sliding_window'
    : 'token_bucket';
}

const KEYS_BY_ALGORITHM = {
  token_bucket: {
    needed: ['requests_per_minute'],
    others: ['max_requests', 'window_seconds'],
    other: 'sliding_window',
  },
  sliding_window: {
    needed: ['max_requests', 'window_seconds'],
    others: ['requests_per_minute', 'burst_size'],
    other: 'token_bucket',
  },
} as const satisfies Record<Algorithm, unknown>;

function checkNumbers(
  numbers: NumbersGiven,
  algorithm: Algorithm,
  path: readonly (string | number)[],
  report: Report,
): void {
  const { needed, others, other } = KEYS_BY_ALGORITHM[algorithm];
  for (const key of needed) {
    if (numbers[key] === undefined) report(path, `\`${key}\` is missing; a \`${algorithm}\` needs it`);
  }
  for (const key of others) {
    if (numbers[key] === undefined) continue;
    report(
      [...path, key],
      `a \`${algorithm}\` has no such number; leave it out, or say \`algorithm: ${other}\``,
    );
  }
}
