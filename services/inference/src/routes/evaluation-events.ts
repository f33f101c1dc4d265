import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { RetryLater } from '@atelier/http';
import type { Request, Response } from 'express';
import type { StoredEvaluation } from '../evaluation/evaluations.ts';

/** How soon a client whose stream broke comes back, in ms. */
const RETRY_MS = 1_000;

/** Between two events, in ms: nobody sees more. */
const INTERVAL_MS = 200;

/** How often a stream without events says that it is there, in ms: proxies end connections that are silent. */
const HEARTBEAT_MS = 15_000;

const MAXIMUM_STREAMS = 100;

/**
 * Server-sent events (HTML standard, section 9.2) of evaluations: `progress` at once and then as it changes, and at the end one of
 * `done`, `failed` and `cancelled`, each with the summary. Who comes back finds the state as it is; who has seen the end gets
 * 204, which tells it not to come back.
 */
export class EvaluationStreams {
  readonly #closing: AbortSignal;
  #open = 0;

  constructor(closing: AbortSignal) {
    this.#closing = closing;
  }

  async send(evaluation: StoredEvaluation, request: Request, response: Response): Promise<void> {
    const hasEnded = evaluation.state !== 'running';
    if (hasEnded && request.get('Last-Event-ID') === String(evaluation.changes)) {
      response.status(204).end();
      return;
    }
    if (this.#open >= MAXIMUM_STREAMS) {
      throw new RetryLater('too-many-streams', `${this.#open} streams are open, as many as may.`);
    }
    response.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    const left = new AbortController();
    response.once('close', () => left.abort());
    this.#open++;
    try {
      await tell(evaluation, response, AbortSignal.any([left.signal, this.#closing]));
      response.end();
    } finally {
      this.#open--;
    }
  }
}

async function tell(evaluation: StoredEvaluation, response: Response, signal: AbortSignal): Promise<void> {
  response.write(`retry: ${RETRY_MS}\n\n`);
  let told = 0;
  while (!signal.aborted) {
    const { changes, state } = evaluation;
    if (changes === told) {
      const isSilent = await first(
        (over) => [once(evaluation.events, 'change', { signal: over }), pause(HEARTBEAT_MS, true, { signal: over })],
        signal,
      );
      if (isSilent === true) response.write(': the evaluation goes on\n\n');
      continue;
    }
    told = changes;
    const event = state === 'running' ? 'progress' : state;
    const text = `id: ${changes}\nevent: ${event}\ndata: ${JSON.stringify(evaluation.summary())}\n\n`;
    if (!response.write(text)) await once(response, 'drain', { signal }).catch(() => undefined);
    if (state !== 'running') return;
    await first((over) => [evaluation.ended, pause(INTERVAL_MS, undefined, { signal: over })], signal);
  }
}

/** What comes first, or undefined when `signal` aborts; nothing of the others is left behind. */
async function first(begin: (over: AbortSignal) => Promise<unknown>[], signal: AbortSignal): Promise<unknown> {
  const over = new AbortController();
  try {
    return await Promise.race(begin(AbortSignal.any([signal, over.signal])));
  } catch {
    return undefined;
  } finally {
    over.abort();
  }
}
