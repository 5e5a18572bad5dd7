import type { ControlAnswer, ControlQuestion } from '#core/worker-messages.ts';
import type { Log } from '#telemetry/log.ts';
import { type MetricsText, PROMETHEUS_CONTENT_TYPE } from '#telemetry/metrics-text.ts';

export type QuestionHandler = (question: ControlQuestion) => Promise<ControlAnswer>;

/** By `METHOD /path`. */
export type QuestionHandlers = ReadonlyMap<string, QuestionHandler>;

/** The control plane's answer to a worker's question; null if it failed, which is logged. Never rejects. */
export async function answerQuestion(
  handlers: QuestionHandlers,
  question: ControlQuestion,
  log: Log,
): Promise<ControlAnswer | null> {
  const { method, path, requestId } = question;
  try {
    const handler = handlers.get(`${method} ${path}`);
    if (handler === undefined) throw new Error('A worker asked what the control plane has no answer for.');
    return await handler(question);
  } catch (error) {
    log.error(
      { method, path, request_id: requestId, err: error },
      'a question of a worker could not be answered',
    );
    return null;
  }
}

/** The metrics for workers whose port serves them. */
export function metricsHandlers(endpoint: string, metrics: Pick<MetricsText, 'read'>): QuestionHandlers {
  const headers = ['Content-Type', PROMETHEUS_CONTENT_TYPE, 'Cache-Control', 'no-store'];
  const answer = async () => ({ status: 200, headers, body: Buffer.from(await metrics.read()) });
  return new Map([[`GET ${endpoint}`, answer]]);
}
