import type { OpenStore } from '../fixture.ts';
import { describeCleanUp } from './clean-up.ts';
import { describeKeys } from './keys.ts';
import { describeRotation } from './rotation.ts';
import { describeSessions } from './sessions.ts';
import { describeThrottle } from './throttle.ts';
import { describeUsers } from './users.ts';

/** What every store must do. `openStore` opens a new one, which is empty. */
export function describeStore(openStore: OpenStore): void {
  describeUsers(openStore);
  describeSessions(openStore);
  describeRotation(openStore);
  describeKeys(openStore);
  describeThrottle(openStore);
  describeCleanUp(openStore);
}
