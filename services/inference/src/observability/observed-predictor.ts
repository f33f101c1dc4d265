import { DomainError, type ErrorCode, hasCode } from '@atelier/domain';
import type { PublishedVersion } from '@atelier/model-repository';
import type { ExplainMethod } from '../explain/explanation.ts';
import {
  COUNTED,
  type DeviceClaim,
  type ExplainedOutputs,
  type Outputs,
  type PredictOptions,
  type Predictor,
} from '../predictor/predictor.ts';
import type { VersionTally } from './version-tally.ts';

export interface PredictorEvents {
  /** A request was turned away before it was computed. */
  refused(code: ErrorCode): void;
  closed(): void;
}

/** What a predictor says of requests that it does not take; any other failure is one of the computation. */
export const REFUSALS: readonly ErrorCode[] = ['overloaded', 'deadline-exceeded', 'not-ready', 'shutting-down'];

/** A predictor whose requests are counted; copies of another's are counted where they are compared. */
export class ObservedPredictor implements Predictor {
  readonly #inner: Predictor;
  readonly #tally: VersionTally;
  readonly #events: PredictorEvents;

  constructor(inner: Predictor, tally: VersionTally, events: PredictorEvents) {
    this.#inner = inner;
    this.#tally = tally;
    this.#events = events;
  }

  get version(): PublishedVersion {
    return this.#inner.version;
  }

  get device(): DeviceClaim {
    return this.#inner.device;
  }

  get ready(): boolean {
    return this.#inner.ready;
  }

  async predict(images: Uint8Array, options?: PredictOptions): Promise<Outputs> {
    if (!COUNTED.has(options?.priority ?? 'online')) return this.#inner.predict(images, options);
    const started = performance.now();
    this.#tally.pending++;
    try {
      const outputs = await this.#inner.predict(images, options);
      const durationMs = performance.now() - started;
      this.#tally.succeeded(outputs.probabilities, durationMs, options?.answeredRows?.(outputs));
      if (options?.timings !== undefined) options.timings['predict_ms'] = durationMs;
      return outputs;
    } catch (error) {
      const reason = reasonOf(error, options?.signal);
      this.#tally.failed(reason);
      if (reason !== 'cancelled' && REFUSALS.includes(reason)) this.#events.refused(reason);
      throw error;
    } finally {
      this.#tally.pending--;
    }
  }

  explain(
    images: Uint8Array,
    outputs: Outputs,
    method: ExplainMethod,
    options?: PredictOptions,
  ): Promise<ExplainedOutputs> {
    return this.#inner.explain(images, outputs, method, options);
  }

  async close(): Promise<void> {
    try {
      await this.#inner.close();
    } finally {
      this.#events.closed();
    }
  }
}

function reasonOf(error: unknown, signal: AbortSignal | undefined): ErrorCode | 'cancelled' {
  const isGivenUp = signal?.aborted === true && error === signal.reason;
  if (isGivenUp && !hasCode(error, 'deadline-exceeded')) return 'cancelled'; // the client has left
  return error instanceof DomainError ? error.code : 'internal';
}
