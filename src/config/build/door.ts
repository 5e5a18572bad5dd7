import type { z } from 'zod';
import type { Access, Cors, Door } from '#core/table.ts';
import type { Cors as CorsSchema } from '../schema/cors.ts';
import type { Config } from '../schema.ts';

type Rules = Pick<NonNullable<Config['routes']>[number], 'access' | 'cors'>;

/** What holds by default, and in its place what `own` says. */
export function buildDoor({ middleware }: Config, own: Rules): Door {
  return {
    access: orNull<Access>(own.access ?? middleware.access),
    cors: buildCors(orNull(own.cors ?? middleware.cors)),
  };
}

function orNull<Section>(section: Section | false | undefined): Section | null {
  return section === undefined || section === false ? null : section;
}

function buildCors(cors: z.output<typeof CorsSchema> | null): Cors | null {
  if (cors === null) return null;
  return {
    origins: cors.allow_origins.includes('*') ? '*' : cors.allow_origins,
    methods: cors.allow_methods.join(', '),
    headers: cors.allow_headers.join(', '),
    exposedHeaders: cors.expose_headers.join(', '),
    hasCredentials: cors.allow_credentials,
    maxAgeSeconds: cors.max_age_seconds,
  };
}
