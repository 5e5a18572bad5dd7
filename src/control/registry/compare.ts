import { isNothing, type Plan, planBetween } from '#core/registry/plan.ts';
import { idOf, recordOf, type UpstreamDraft, type UpstreamId } from '#core/registry/record.ts';
import type { Log } from '#telemetry/log.ts';
import type { Served } from './served.ts';

/** Names of upstreams in one line of the log. */
const NAMES_MAX = 10;

/** What applying the drafts would do; what operators said of upstreams' states is in no file, and stays. */
export function planOf(served: Served, drafts: readonly UpstreamDraft[]): Plan {
  const wanted = drafts.map((draft) => recordOf(draft, served.upstreams.get(idOf(draft))?.value));
  return planBetween(served.records, wanted);
}

/** A configuration file that has other upstreams than the registry changes nothing: whoever started with it must know. */
export function warnIfFileDiffers(plan: Plan, file: string, log: Log): void {
  const { add, change, remove } = plan;
  if (isNothing(plan)) return;
  log.warn(
    { only_in_file: names(add), different: names(change), only_in_registry: names(remove) },
    `registry: it has other upstreams than ${file}, and is what is served; \`signalbox apply --config ${file}\` makes it what the file says`,
  );
}

/** Of a registry that was lost and has been filled by somebody who knew something else. */
export function warnIfLost(plan: Plan, log: Log): void {
  const { add, change, remove } = plan;
  if (isNothing(plan)) return;
  log.warn(
    { added: names(add), changed: names(change), removed: names(remove) },
    'registry: it was lost, and is another one now',
  );
}

function names(upstreams: readonly UpstreamId[]): string[] {
  const shown = upstreams.slice(0, NAMES_MAX).map(idOf);
  return upstreams.length > NAMES_MAX ? [...shown, `and ${upstreams.length - NAMES_MAX} more`] : shown;
}
