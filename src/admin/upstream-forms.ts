/** What is said to the admin API of upstreams; the rules are those of the configuration. */
import { z } from 'zod';
import { UPSTREAMS_PER_POOL_MAX } from '#config/schema/pool.ts';
import { expecting } from '#config/schema/section.ts';
import { InFlightMax, Protocol, UpstreamName, Weight } from '#config/schema/upstream.ts';
import { Host, milliseconds, Name, Port } from '#config/schema/values.ts';
import { States, UpstreamBody } from '#control/registry/forms.ts';
import { idOf } from '#core/registry/record.ts';
import { UPSTREAM_SLOTS_MAX } from '#shared/upstream-cells.ts';

const Revision = expecting(z.int().min(1), 'the revision of the upstream, a whole number from 1');

export const NewUpstream = z.strictObject({
  pool: Name.default('default'),
  name: UpstreamName.optional(),
  address: Host,
  port: Port,
  weight: Weight.default(1),
  state: States.default('ready'),
  tls: z.boolean().optional(),
  protocol: Protocol.optional(),
  in_flight_max: InFlightMax.optional(),
});

export const UpstreamChange = z
  .strictObject({
    weight: Weight.optional(),
    state: States.optional(),
    /** Of what is under way when the state is not ready any more; null: as the pool says. */
    drain_deadline_ms: milliseconds(0).nullable().optional(),
    revision: Revision.optional(),
  })
  .refine(
    ({ weight, state, drain_deadline_ms }) =>
      [weight, state, drain_deadline_ms].some((it) => it !== undefined),
    {
      error: 'says nothing to change; expected `weight`, `state` or `drain_deadline_ms`',
    },
  );

export type UpstreamChange = z.output<typeof UpstreamChange>;

const Entry = UpstreamBody.omit({ state: true, drain_ms: true });

/** All upstreams that there are to be. Their states are not said here: they stay. */
export const AllUpstreams = z
  .strictObject({
    upstreams: expecting(
      z.array(Entry).max(UPSTREAM_SLOTS_MAX),
      `a list of at most ${UPSTREAM_SLOTS_MAX} upstreams`,
    ),
  })
  .superRefine(({ upstreams }, context) => {
    const seen = new Set<string>();
    const sizes = new Map<string, number>();
    for (const [index, upstream] of upstreams.entries()) {
      const report = (message: string) =>
        context.addIssue({ code: 'custom', path: ['upstreams', index], message });
      const size = (sizes.get(upstream.pool) ?? 0) + 1;
      sizes.set(upstream.pool, size);
      if (seen.has(idOf(upstream)))
        report(`there is another ${idOf(upstream)}; give one of them another name`);
      if (size === UPSTREAMS_PER_POOL_MAX + 1) {
        report(`one too many for the pool ${upstream.pool}, which can have ${UPSTREAMS_PER_POOL_MAX}`);
      }
      seen.add(idOf(upstream));
    }
  });
