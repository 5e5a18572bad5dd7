import type { CheckTarget, HealthCheckSteps, ProbeEvent } from '#actors/health-check/machine.ts';
import type { Clock } from '#core/clock.ts';
import { SignalboxError } from '#core/errors.ts';
import type { Outcome } from '#core/health/tally.ts';
import type { Upstream } from '#core/table.ts';
import { failureReason } from './failure-reason.ts';
import { Places } from './places.ts';
import { probeGrpc } from './probe-grpc.ts';
import { probeHttp } from './probe-http.ts';
import { probeTcp } from './probe-tcp.ts';

/** Probes under way at once. Those of upstreams that do not answer stay for their whole timeout. */
export const PROBES_MAX = 256;

/** The healthCheck machine's step `probe`. */
export function probeStep(clock: Clock): HealthCheckSteps['probe'] {
  const places = new Places(PROBES_MAX);
  return (target, machine) => {
    const life = new AbortController();
    const place = places.claim(() => {
      machine.tell({ type: 'probe.begun' });
      void conclude(target, clock, life.signal).then((event) => {
        if (!life.signal.aborted) machine.tell(event);
      });
    });
    return {
      stop() {
        life.abort(new SignalboxError('probe_ended', 'signalbox', 'The probe was given up.'));
        place.leave();
      },
    };
  };
}

/** Never rejects. */
async function conclude(target: CheckTarget, clock: Clock, signal: AbortSignal): Promise<ProbeEvent> {
  const begunMs = clock.monotonicMs();
  const ended = (outcome: Outcome): ProbeEvent => ({
    type: 'probe.ended',
    outcome,
    tookMs: clock.monotonicMs() - begunMs,
  });
  try {
    return ended(await probe(target, clock, signal));
  } catch (error) {
    const reason = failureReason(error);
    return reason === null ? { type: 'probe.voided' } : ended({ passed: false, reason });
  }
}

function probe({ upstream, check }: CheckTarget, clock: Clock, signal: AbortSignal): Promise<Outcome> {
  const asked: Upstream = check.port === null ? upstream : { ...upstream, port: check.port };
  const { timeoutMs } = check.pace;
  switch (check.probe.kind) {
    case 'tcp':
      return probeTcp(asked, timeoutMs, clock, signal);
    case 'http':
      return probeHttp(asked, check.probe, timeoutMs, clock, signal);
    case 'grpc':
      return probeGrpc(asked, check.probe.service, timeoutMs, clock, signal);
  }
}
