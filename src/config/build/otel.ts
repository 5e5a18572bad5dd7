/**
 * The standard variables of OpenTelemetry, as far as they have a meaning here
 * (https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).
 */
import type { TraceSettings } from '#core/settings.ts';
import type { Sampler } from '#core/trace/sampler.ts';
import type { Environment } from '../env.ts';

export type OtelSettings = {
  /** Null where traces are sent nowhere. */
  readonly traces: TraceSettings | null;
  readonly sampler: Sampler | null;
  /** What is said about this instance beside what it knows itself. */
  readonly resource: Readonly<Record<string, string>>;
  /** What is wrong with the variables, without their values. */
  readonly mistakes: readonly string[];
};

const SERVICE_NAME = 'signalbox';
const ENDPOINT_DEFAULT = 'http://localhost:4318';
const TRACES_PATH = 'v1/traces';
const NUMBER_MAX = 86_400_000;

const SAMPLERS = {
  always_on: () => ({ ratio: 1, followsParent: false }),
  always_off: () => ({ ratio: 0, followsParent: false }),
  traceidratio: (ratio) => ({ ratio, followsParent: false }),
  parentbased_always_on: () => ({ ratio: 1, followsParent: true }),
  parentbased_always_off: () => ({ ratio: 0, followsParent: true }),
  parentbased_traceidratio: (ratio) => ({ ratio, followsParent: true }),
} as const satisfies Record<string, (ratio: number) => Sampler>;

const SAMPLER_NAMES = Object.keys(SAMPLERS) as (keyof typeof SAMPLERS)[];

/** Empty variables are as good as none, as the specification wants it. */
export function readOtel(env: Environment): OtelSettings {
  const variables = new Variables(env);
  const resource = {
    'service.name': SERVICE_NAME,
    ...variables.list('OTEL_RESOURCE_ATTRIBUTES'),
    ...named('service.name', variables.text('OTEL_SERVICE_NAME')),
  };
  const traces = readTraces(variables);
  const sampler = traces === null ? null : readSampler(variables);
  return { traces, sampler, resource, mistakes: variables.mistakes };
}

function readTraces(variables: Variables): TraceSettings | null {
  const exporter = variables.choice('OTEL_TRACES_EXPORTER', ['otlp', 'none']);
  const url = tracesUrl(variables) ?? (exporter === 'otlp' ? `${ENDPOINT_DEFAULT}/${TRACES_PATH}` : null);
  const isDisabled = variables.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true';
  if (url === null || exporter === 'none' || isDisabled) return null;
  variables.choice(variables.ofTraces('PROTOCOL'), ['http/protobuf']);
  const queueMax = variables.number('OTEL_BSP_MAX_QUEUE_SIZE', 2_048);
  return {
    url,
    headers: {
      ...variables.list('OTEL_EXPORTER_OTLP_HEADERS'),
      ...variables.list('OTEL_EXPORTER_OTLP_TRACES_HEADERS'),
    },
    timeoutMs: variables.number(variables.ofTraces('TIMEOUT'), 10_000),
    delayMs: variables.number('OTEL_BSP_SCHEDULE_DELAY', 5_000),
    queueMax,
    batchMax: Math.min(queueMax, variables.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512)),
  };
}

/** That of traces is taken as it is; to the common one, the path is added. */
function tracesUrl(variables: Variables): string | null {
  const own = variables.url('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  if (own !== null) return own;
  const common = variables.url('OTEL_EXPORTER_OTLP_ENDPOINT');
  return common === null ? null : `${common.replace(/\/$/, '')}/${TRACES_PATH}`;
}

function readSampler(variables: Variables): Sampler {
  const name = variables.choice('OTEL_TRACES_SAMPLER', SAMPLER_NAMES) ?? 'parentbased_always_on';
  const ratio = Number(variables.text('OTEL_TRACES_SAMPLER_ARG') ?? 1);
  const isUsed = name.endsWith('traceidratio');
  if (isUsed && !(ratio >= 0 && ratio <= 1))
    variables.reject('OTEL_TRACES_SAMPLER_ARG', 'a number from 0 to 1');
  return SAMPLERS[name](ratio);
}

function named(name: string, value: string | null): Record<string, string> {
  return value === null ? {} : { [name]: value };
}

/** Reads variables, and collects what is wrong with them. */
class Variables {
  readonly mistakes: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  text(name: string): string | null {
    return this.#env[name]?.trim() || null;
  }

  /** The name of the exporter's variable for traces if that is set, else of the one for everything. */
  ofTraces(what: string): string {
    const own = `OTEL_EXPORTER_OTLP_TRACES_${what}`;
    return this.text(own) === null ? `OTEL_EXPORTER_OTLP_${what}` : own;
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[]): Choice | null {
    const value = this.text(name);
    const chosen = choices.find((choice) => choice === value) ?? null;
    if (value === null || chosen !== null) return chosen;
    this.reject(
      name,
      choices.length === 1 ? `\`${choices[0]}\`` : `one of ${choices.map((it) => `\`${it}\``).join(', ')}`,
    );
    return null;
  }

  number(name: string, standard: number): number {
    const value = this.text(name);
    if (value === null) return standard;
    const number = Number(value);
    if (Number.isInteger(number) && number >= 1 && number <= NUMBER_MAX) return number;
    this.reject(name, `a whole number from 1 to ${NUMBER_MAX}`);
    return standard;
  }

  url(name: string): string | null {
    const value = this.text(name);
    if (value === null) return null;
    if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
    this.reject(name, 'an http or https URL, such as `http://localhost:4318`');
    return null;
  }

  /** `key=value,key=value`, with what is special written as in a URL. */
  list(name: string): Record<string, string> {
    const members = (this.text(name)?.split(',') ?? []).filter((member) => member.trim() !== '');
    const pairs = members.map((member) => /^\s*([!-+\--<>-~]+?)\s*=\s*([ -~]*?)\s*$/.exec(member));
    try {
      return Object.fromEntries(
        pairs.map((pair) => [pair?.[1] ?? fail(), decodeURIComponent(pair?.[2] ?? '')]),
      );
    } catch {
      this.reject(name, '`key=value` pairs with commas between them, percent-encoded');
      return {};
    }
  }

  reject(name: string, expected: string): void {
    this.mistakes.push(`the environment variable \`${name}\` cannot be used: expected ${expected}`);
  }
}

function fail(): never {
  throw new TypeError('not a pair');
}
