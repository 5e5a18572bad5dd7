/** The data plane: one of an instance's worker threads. It accepts connections and serves requests. */
import { flushCompileCache } from 'node:module';
import { getHeapStatistics } from 'node:v8';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { RUNNERS } from '#actors/request/run.ts';
import { punctualClock, systemClock } from '#core/clock.ts';
import { codeOf, messageOf } from '#core/errors.ts';
import { withKnownPools } from '#core/known-pools.ts';
import { systemRandom } from '#core/random.ts';
import type { FromWorker, ToWorker, WorkerStart } from '#core/worker-messages.ts';
import { addressBlocks } from '#http/address-blocks.ts';
import type { AttemptBooks } from '#http/attempt-record.ts';
import { createAuthenticator } from '#http/auth/authenticator.ts';
import { MissingKeys } from '#http/auth/jwt/missing-keys.ts';
import { TokenVerifier } from '#http/auth/jwt/token-verifier.ts';
import { authenticateStep } from '#http/auth/step.ts';
import { Connections } from '#http/connections.ts';
import { ControlLine } from '#http/control-line.ts';
import { Drains } from '#http/drains.ts';
import { Front } from '#http/front.ts';
import { Claims } from '#http/in-flight/claims.ts';
import { Queues } from '#http/in-flight/queues.ts';
import { Listener } from '#http/listener.ts';
import { createLocals } from '#http/locals.ts';
import { Overload } from '#http/overload.ts';
import { Problems } from '#http/problems.ts';
import { RequestMetrics } from '#http/request-metrics.ts';
import { RequestRecorder } from '#http/request-recorder.ts';
import { Selector } from '#http/selector.ts';
import { forwardStep } from '#http/steps/forward.ts';
import { limitStep } from '#http/steps/limit.ts';
import { receiveStep } from '#http/steps/receive.ts';
import { refuseStep } from '#http/steps/refuse.ts';
import { respondStep } from '#http/steps/respond.ts';
import { selectStep } from '#http/steps/select.ts';
import { weighStep } from '#http/steps/weigh.ts';
import { UpstreamClients } from '#http/upstream-clients.ts';
import { attachSharedState, type SharedMemory } from '#shared/state.ts';
import { watchThread } from '#shared/watch-thread.ts';

const { worker, settings, table, memory, reusePort, keyring, revoked, tls } =
  workerData as WorkerStart<SharedMemory>;
const control = parentPort as MessagePort;
const clock = systemClock;
const { ipv6PrefixBits } = settings.limits;
const trusted = addressBlocks(settings.server.trustedProxies);

// What this thread counts and remembers, where the others and the control plane see it.
const shared = attachSharedState(memory, worker);
const series = shared.metrics.ofWorker(worker);
const metrics = new RequestMetrics(series);
const { telemetry, log } = settings;
const recorder = new RequestRecorder(shared.records.writer(worker), telemetry, log.access, clock);
const overload = new Overload(settings.server.overload.lagMs, shared.held, systemRandom);
const heapBytes = () => getHeapStatistics().used_heap_size;
watchThread(series, `worker-${worker}`, heapBytes, punctualClock, overload.probed);

// Whose requests are let in.
const missingKeys = new MissingKeys((issuer) => say({ type: 'key.missed', issuer }), clock);
const tokens = new TokenVerifier(keyring, missingKeys, clock);
tokens.revoke(revoked);
// Most instances have nobody's password to check here.
const verifyPassword = async (hash: string, password: string) =>
  (await import('argon2')).default.verify(hash, password);

// Where they go.
const claims = new Claims(shared.upstreams);
const queues = new Queues(shared.queues, metrics, clock);
const selector = new Selector(shared.upstreams, claims, ipv6PrefixBits, clock, systemRandom);
const clients = new UpstreamClients(settings.upstreamConnections, clock, metrics);
const drains = new Drains(clock);
drains.follow(table);
const books: AttemptBooks = {
  cells: shared.upstreams,
  metrics,
  clock,
  onFailing: (slot, kind) => say({ type: 'upstream.failing', slot, kind }),
  onFreed: (pool) => queues.freed(pool),
};

// How they live: the steps of the request machine, in the order of its states.
const problems = new Problems(say, clock);
const run = RUNNERS[settings.actors.runtime](
  {
    authenticate: authenticateStep(createAuthenticator(verifyPassword, tokens)),
    limit: limitStep(shared.limits, metrics, recorder, ipv6PrefixBits, clock),
    receive: receiveStep(clock),
    select: selectStep(selector, claims, queues, shared.retries, metrics, clock),
    forward: forwardStep(clients, claims, books, recorder),
    weigh: weighStep(selector, shared.retries, clock),
    respond: respondStep(drains, shared.held, recorder, clock),
    refuse: refuseStep(metrics, recorder, clock),
  },
  clock,
  (error) => problems.report(error),
  recorder.observe,
);

// How they come in.
const line = new ControlLine(say, clock);
const locals = createLocals({
  metrics: settings.metrics,
  hasAccounts: keyring.issuers.some(({ isOwn }) => isOwn),
  control: line,
  limits: shared.limits,
  ipv6PrefixBits,
  clock,
});
const { held } = shared;
const front = new Front({ table, run, locals, trusted, metrics, recorder, overload, held, clock });
const connections = new Connections({
  count: shared.connections,
  clients: shared.clientConnections,
  worker,
  max: settings.server.maxConnections,
  perClientMax: settings.server.connectionsPerClientMax,
  trusted,
  ipv6PrefixBits,
  clock,
});
const listener = new Listener({ settings: settings.server, tls, front, connections, held, metrics, clock });

let isLeaving = false;

control.on('message', (message: ToWorker) => {
  switch (message.type) {
    case 'table':
      front.table = withKnownPools(message.table, front.table);
      clients.retain(front.table);
      drains.follow(front.table);
      return;
    case 'keyring':
      tokens.useKeyring(message.keyring);
      return;
    case 'revoked':
      tokens.revoke(message.revoked);
      return;
    case 'tls':
      listener.useTls(message.material);
      return;
    case 'drain':
      if (!isLeaving) void listener.drain().then(end);
      isLeaving = true;
      return;
    case 'cut':
      listener.cut();
      return;
    case 'answer':
      line.deliver(message.id, message.answer);
      return;
  }
});

// For the next start, as this one may end by being killed; before anybody has to wait for it.
flushCompileCache();

try {
  await listener.listen(reusePort);
  say({ type: 'listening' });
  // The requests of other clients are not to be lost with this one's: they finish here while another worker takes over.
  process.on('uncaughtException', (error) => {
    problems.report(error);
    say({ type: 'failed' });
  });
} catch (error) {
  say({ type: 'refused', code: codeOf(error), message: messageOf(error) });
  control.close();
}

async function end(): Promise<void> {
  await clients.destroy();
  say({ type: 'drained' });
  // With the port closed and no connection left, nothing keeps the thread alive.
  control.close();
}

function say(message: FromWorker): void {
  control.postMessage(message);
}
