import { type AdminRoutes, text } from './api.ts';

/** For those who look after processes: whether it lives, and whether it is to get requests. */
export function probeRoutes(isReady: () => boolean): AdminRoutes {
  return new Map([
    ['GET /livez', () => text(200, 'alive')],
    ['GET /readyz', () => (isReady() ? text(200, 'ready') : text(503, 'not ready'))],
  ]);
}
