import { z } from 'zod';
import { LOG_LEVELS } from '#core/settings.ts';
import type { Log } from '#telemetry/log.ts';
import { type AdminHandler, type AdminRoutes, json } from './api.ts';
import { readBody } from './body.ts';

const Level = z.strictObject({ level: z.enum(LOG_LEVELS) });

/** The least that is logged: changed here until the instance ends, or it is changed again. */
export function logLevelRoutes(log: Log): AdminRoutes {
  return new Map<string, AdminHandler>([
    ['GET /api/log-level', () => json(200, { level: log.level })],
    [
      'PUT /api/log-level',
      async ({ body }) => {
        const read = await readBody(body, Level);
        if ('refusal' in read) return read.refusal;
        log.level = read.value.level;
        return json(200, read.value);
      },
    ],
  ]);
}
