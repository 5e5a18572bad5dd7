import { z } from 'zod';
import { HeaderName } from './header-names.ts';
import { HeaderValue } from './header-rules.ts';
import { Anything, expecting, rule } from './section.ts';
import { integer, milliseconds, Port, text, Whole } from './values.ts';

export const INTERVAL_MS_DEFAULT = 1_000;
/** Where the interval is no shorter. */
export const TIMEOUT_MS_DEFAULT = 1_000;

const Type = z.enum(['tcp', 'http', 'grpc', 'none']);

const RANGE = /^([2-5]\d\d)-([2-5]\d\d)$/;

const Status = expecting(
  z.union([
    Whole.min(200).max(599),
    z.string().refine((text) => {
      const [, first = '', last = ''] = RANGE.exec(text) ?? [];
      return first !== '' && first <= last;
    }),
  ]),
  'a status from 200 to 599, or a range such as `200-299`',
);

const HealthCheckSection = z.strictObject({
  type: Type.default('tcp').describe(
    'What passes: a connection, TLS included (`tcp`), an answer as expected (`http`), in the protocol of the upstream, or that a gRPC server says that it serves (`grpc`). `none`: nothing is probed.',
  ),
  service: text(/^[\w./-]{1,127}$/, 'the name of a gRPC service')
    .optional()
    .describe('The service that `grpc` asks for. Default: the server as a whole.'),
  path: text(/^\/[!-"$-~]{0,2047}$/, 'a path that starts with `/`, without fragment')
    .optional()
    .describe('What is asked for, with a query if there is one. Default: `/`.'),
  method: z.enum(['GET', 'HEAD', 'OPTIONS']).optional().describe('With which method. Default: `GET`.'),
  headers: z
    .record(HeaderName, HeaderValue)
    .optional()
    .describe(
      'Headers that probes have: name → value. `User-Agent` is `signalbox-health` unless it is one of them; `Host` is that of the requests.',
    ),
  expected_status: z
    .union([Status, z.array(Status).min(1)])
    .optional()
    .describe('Statuses that pass, one or a list. Default: `200-399`.'),
  body: expecting(z.string().min(1).max(1024), 'a text of 1 to 1024 characters')
    .optional()
    .describe('Text that the first 64 KiB of the body must contain.'),
  port: Port.optional().describe("Port that is asked in place of the upstream's own."),
  interval_ms: milliseconds(10)
    .optional()
    .describe(`From one probe to the next. Default: ${INTERVAL_MS_DEFAULT}.`),
  timeout_ms: milliseconds(1)
    .optional()
    .describe(
      `How long a probe may take, at most \`interval_ms\`. Default: ${TIMEOUT_MS_DEFAULT}, or the interval where that is shorter.`,
    ),
  healthy_threshold: integer(1, 100)
    .optional()
    .describe('Probes in a row that an upstream has to pass to be up again. Default: 1.'),
  unhealthy_threshold: integer(1, 100)
    .optional()
    .describe('Probes in a row that it has to fail to be down. Default: 2.'),
  jitter: expecting(z.number().min(0).max(0.5), 'a number from 0 to 0.5')
    .optional()
    .describe('Share by which intervals are shortened at most, each check by another. Default: 0.1.'),
  initial: z
    .enum(['up', 'down'])
    .optional()
    .describe(
      'Whether an upstream that nobody has probed yet gets requests. Default: `down`, so a new one serves only after its first pass.',
    ),
});

const TypeView = z.object({
  type: Type,
  service: Anything,
  path: Anything,
  method: Anything,
  headers: Anything,
  expected_status: Anything,
  body: Anything,
  port: Anything,
  interval_ms: Anything,
  timeout_ms: Anything,
  healthy_threshold: Anything,
  unhealthy_threshold: Anything,
  jitter: Anything,
  initial: Anything,
});

const HTTP_KEYS = new Set(['path', 'method', 'headers', 'expected_status', 'body']);

const WithType = rule(HealthCheckSection, TypeView, ({ type, ...others }, report) => {
  for (const [key, value] of Object.entries(others)) {
    if (value === undefined) continue;
    if (type === 'none') report([key], 'has no effect with `type: none`');
    else if (type !== 'http' && HTTP_KEYS.has(key)) report([key], 'works with `type: http` only');
    else if (type !== 'grpc' && key === 'service') report([key], 'works with `type: grpc` only');
  }
});

const TimesView = z.object({ interval_ms: z.number().default(INTERVAL_MS_DEFAULT), timeout_ms: z.number() });

const WithTimes = rule(WithType, TimesView, ({ interval_ms, timeout_ms }, report) => {
  if (timeout_ms > interval_ms)
    report(['timeout_ms'], `must not be longer than \`interval_ms\`, ${interval_ms}`);
});

const BodyView = z.object({ method: z.literal('HEAD'), body: z.string() });

export const HealthCheck = rule(WithTimes, BodyView, (_, report) => {
  report(['body'], 'there is no body in the answer to a HEAD request');
});
