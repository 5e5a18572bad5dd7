import { z } from 'zod';
import { rule } from './section.ts';
import { integer, milliseconds } from './values.ts';

const OutlierDetectionSection = z.strictObject({
  consecutive_5xx: integer(0, 1_000_000)
    .default(5)
    .describe('Answers from 500 to 599 in a row, counting attempts that broke off; `0`: any number.'),
  consecutive_gateway_failure: integer(0, 1_000_000)
    .default(5)
    .describe('Answers 502, 503 and 504 in a row, counting attempts that broke off; `0`: any number.'),
  base_ejection_ms: milliseconds(1)
    .default(30_000)
    .describe('How long the upstream is out the first time; each time in a row it is longer by as much.'),
  max_ejection_ms: milliseconds(1).default(300_000).describe('How long it is out at most.'),
  max_ejection_percent: integer(0, 100, 'percent')
    .default(10)
    .describe('Share of a pool that may be out for this at once; one upstream always may.'),
});

const TimesView = z.object({ base_ejection_ms: z.number(), max_ejection_ms: z.number() });

export const OutlierDetection = rule(
  OutlierDetectionSection,
  TimesView,
  ({ base_ejection_ms, max_ejection_ms }, report) => {
    if (max_ejection_ms >= base_ejection_ms) return;
    report(['max_ejection_ms'], `must not be shorter than \`base_ejection_ms\`, ${base_ejection_ms}`);
  },
);
