/** The registry through the admin API: every change goes to all instances, and says the revision it made. */
import { RegistryError, type RegistryErrorCode } from '#control/registry/errors.ts';
import { recordIn } from '#control/registry/forms.ts';
import { draftOf, idOf, recordOf, type UpstreamId, type UpstreamRecord } from '#core/registry/record.ts';
import type { Versioned } from '#core/registry/replica.ts';
import { type AdminAnswer, type AdminHandler, type AdminRequest, type AdminRoutes, json } from './api.ts';
import { readBody } from './body.ts';
import { badFields, problem } from './problem.ts';
import { AllUpstreams, NewUpstream, UpstreamChange } from './upstream-forms.ts';
import { describeUpstream, isRouted, listUpstreams, type UpstreamsView } from './upstream-view.ts';

/** After which it may be worth to try again. */
const RETRY_SECONDS = 1;
/** Answers wait no longer for the table: thousands of upstreams that change all the time make it late. */
const TABLED_MS_MAX = 2_000;

export function upstreamsRoutes(view: UpstreamsView): AdminRoutes {
  const guarded = (
    answer: (request: AdminRequest, view: UpstreamsView) => Promise<AdminAnswer>,
  ): AdminHandler => {
    return (request) => answer(request, view).catch((error: unknown) => refusalOf(error, view));
  };
  return new Map([
    ['GET /api/upstreams', () => list(view)],
    ['POST /api/upstreams', guarded(add)],
    ['PUT /api/upstreams', guarded(replace)],
    ['PATCH /api/upstreams/*', guarded(change)],
    ['DELETE /api/upstreams/*', guarded(remove)],
  ]);
}

function list(view: UpstreamsView): AdminAnswer {
  const { revision, checksum } = view.registry.report;
  return json(200, { revision, checksum, upstreams: listUpstreams(view) });
}

async function add({ body }: AdminRequest, view: UpstreamsView): Promise<AdminAnswer> {
  const read = await readBody(body, NewUpstream);
  if ('refusal' in read) return read.refusal;
  const { pool, state, ...given } = read.value;
  const record = { ...recordOf(view.newUpstream(pool, given), undefined), state };
  const entry = await tabled(view.edits.add(record), view);
  const location = `/api/upstreams/${encodeURIComponent(record.name)}?pool=${pool}`;
  return json(201, changed(entry, [pool], view), { Location: location, ETag: `"${entry.revision}"` });
}

async function replace({ body }: AdminRequest, view: UpstreamsView): Promise<AdminAnswer> {
  const read = await readBody(body, AllUpstreams);
  if ('refusal' in read) return read.refusal;
  const { upstreams } = read.value;
  const drafts = upstreams.map((upstream) =>
    draftOf(recordIn({ ...upstream, state: 'ready', drain_ms: null })),
  );
  const plan = await tabled(view.edits.apply(drafts), view);
  return json(200, {
    revision: view.registry.report.revision,
    added: plan.add.map(idOf),
    changed: plan.change.map(idOf),
    removed: plan.remove.map(idOf),
    warnings: warningsAbout(new Set(drafts.map(({ pool }) => pool)), view),
  });
}

async function change(request: AdminRequest, view: UpstreamsView): Promise<AdminAnswer> {
  const read = await readBody(request.body, UpstreamChange);
  if ('refusal' in read) return read.refusal;
  const { value } = read;
  const revision = value.revision ?? revisionIn(request);
  if (Number.isNaN(revision)) return BAD_REVISION;
  const upstream = upstreamIn(request);
  const entry = await tabled(
    view.edits.change(upstream, revision, (record) => changedRecord(record, value)),
    view,
  );
  return json(200, changed(entry, [], view), { ETag: `"${entry.revision}"` });
}

async function remove(request: AdminRequest, view: UpstreamsView): Promise<AdminAnswer> {
  const revision = revisionIn(request);
  if (Number.isNaN(revision)) return BAD_REVISION;
  const entry = await tabled(view.edits.remove(upstreamIn(request), revision), view);
  return json(200, changed(entry, [], view));
}

/** Once an answer is given, requests go by what it says. */
async function tabled<T>(edit: Promise<T>, view: UpstreamsView): Promise<T> {
  const result = await edit;
  await view.tabled(TABLED_MS_MAX);
  return result;
}

function upstreamIn({ name, query }: AdminRequest): UpstreamId {
  return { pool: query.get('pool') ?? 'default', name };
}

/** The only revision that is to be changed; null for any, NaN for what is none. */
function revisionIn({ headers, query }: AdminRequest): number | null {
  const said = query.get('revision') ?? headers['if-match'] ?? '*';
  if (said === '*') return null;
  return Number(/^"?([1-9]\d{0,15})"?$/.exec(said)?.[1] ?? NaN);
}

const BAD_REVISION = badFields([
  { field: 'If-Match', detail: 'expected the revision of the upstream, such as `If-Match: "12"`' },
]);

/** How long it may drain belongs to its state: a new one does not inherit it. */
function changedRecord(record: UpstreamRecord, change: UpstreamChange): UpstreamRecord {
  const { weight = record.weight, state = record.state, drain_deadline_ms } = change;
  const inherited = change.state === undefined ? record.drainMs : null;
  return {
    ...record,
    weight,
    state,
    drainMs: drain_deadline_ms === undefined ? inherited : drain_deadline_ms,
  };
}

function changed(entry: Versioned<UpstreamRecord>, pools: Iterable<string>, view: UpstreamsView) {
  return {
    revision: view.registry.report.revision,
    upstream: describeUpstream(entry, view),
    warnings: warningsAbout(pools, view),
  };
}

function warningsAbout(pools: Iterable<string>, view: UpstreamsView): string[] {
  const strange = [...pools].filter((pool) => !isRouted(pool, view));
  return strange.map((pool) => `no route of this instance leads to the pool ${pool}`);
}

const STATUS = {
  registry_missing: 404,
  registry_conflict: 409,
  registry_full: 409,
  registry_too_large: 413,
  registry_unavailable: 503,
} as const satisfies Record<RegistryErrorCode, number>;

function refusalOf(error: unknown, view: UpstreamsView): AdminAnswer {
  if (!(error instanceof RegistryError)) throw error;
  const status = STATUS[error.code];
  const { revision } = view.registry.report;
  if (status === 503) {
    return problem(status, error.message, { revision }, { 'Retry-After': `${RETRY_SECONDS}` });
  }
  const current = error.current && describeUpstream(error.current, view);
  return problem(status, error.message, status === 409 ? { revision, current } : { revision });
}
