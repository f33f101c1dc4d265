import type { ErrorCode } from '@atelier/domain';
import { Distribution } from '@atelier/http';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { VersionStatus } from '../models/models.ts';
import type { Predictor } from '../predictor/predictor.ts';
import { watchEventLoop } from './event-loop-delay.ts';
import { ObservedPredictor } from './observed-predictor.ts';
import type { CancelStage, ClosedBatch, InferenceObserver, QueueState } from './observers.ts';
import { type CountedName, emptyCounts, registerOwnMetrics } from './own-metrics.ts';
import { registerTritonMetrics } from './triton-metrics.ts';
import { SECONDS, VersionTally } from './version-tally.ts';

/** Versions whose numbers stay when nothing computes with them any more: a service swaps for months, and a scrape stays small. */
const MAXIMUM_RETIRED = 16;

/** What is asked at a scrape, where it is known. */
export interface Watched {
  statuses?: () => readonly VersionStatus[];
  queue?: () => QueueState;
}

/** Everything that the service measures. */
export class InferenceMetrics implements InferenceObserver {
  readonly registry = new Registry();
  /** By `name/version`, the longest unused first among those without a predictor. */
  readonly #tallies = new Map<string, VersionTally>();
  readonly #predictors = new Set<Predictor>();
  readonly #counts = emptyCounts();
  readonly #decodeSeconds = new Distribution(SECONDS);
  readonly #eventLoop = watchEventLoop();
  #watched: Required<Watched> = { statuses: () => [], queue: () => ({ requests: 0, rows: 0, decoding: 0 }) };

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    registerOwnMetrics(this.registry, {
      tallies: () => this.#tallies.values(),
      counts: this.#counts,
      decodeSeconds: this.#decodeSeconds,
      eventLoopDelays: this.#eventLoop.delays,
      predictors: () => this.#predictors,
      statuses: () => this.#watched.statuses(),
      queue: () => this.#watched.queue(),
    });
    registerTritonMetrics(this.registry, () => this.#tallies.values());
  }

  watch(watched: Watched): void {
    this.#watched = { ...this.#watched, ...watched };
  }

  closed({ model, version, reason, rows, bucket, queueMs, inputMs, computeMs, outputMs }: ClosedBatch): void {
    const tally = this.#tallyOf(model, version);
    const { requestMs } = tally;
    tally.batches++;
    tally.batchRows.add(rows);
    tally.paddingRows += bucket - rows;
    tally.computeSeconds.add(computeMs / 1000);
    for (const ms of queueMs) {
      tally.queueSeconds.add(ms / 1000);
      requestMs.queue += ms;
    }
    requestMs.input += inputMs * queueMs.length;
    requestMs.compute += computeMs * queueMs.length;
    requestMs.output += outputMs * queueMs.length;
    this.#count('batch_close_total', reason);
  }

  cancelled(stage: CancelStage): void {
    this.#count('requests_cancelled_total', stage);
  }

  refused(code: ErrorCode): void {
    this.#count('requests_refused_total', code);
  }

  decoded(durationMs: number): void {
    this.#decodeSeconds.add(durationMs / 1000);
  }

  engineRestarted(reason: string): void {
    this.#count('engine_restarts_total', reason);
  }

  swapped(model: string): void {
    this.#count('model_swaps_total', model);
  }

  versionRefused(_model: string, code: ErrorCode): void {
    this.#count('model_refusals_total', code);
  }

  shadowCompared(agreed: boolean): void {
    this.#count('shadow_comparisons_total', agreed ? 'same' : 'other');
  }

  observed(predictor: Predictor): Predictor {
    const { name, version } = predictor.version;
    const tally = this.#tallyOf(name, version);
    const observed = new ObservedPredictor(predictor, tally, {
      refused: (code) => this.refused(code),
      closed: () => {
        this.#predictors.delete(observed);
        this.#retire(name, version);
      },
    });
    this.#predictors.add(observed);
    return observed;
  }

  /** Lets go of the timer; what was counted stays. */
  close(): void {
    this.#eventLoop.stop();
  }

  #count(name: CountedName, label: string): void {
    const counts = this.#counts[name];
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }

  #tallyOf(model: string, version: number): VersionTally {
    const name = `${model}/${version}`;
    let tally = this.#tallies.get(name);
    if (tally === undefined) this.#tallies.set(name, (tally = new VersionTally(model, version)));
    return tally;
  }

  /** Forgets the versions that were retired first, where there are too many. */
  #retire(model: string, version: number): void {
    const name = `${model}/${version}`;
    const tally = this.#tallies.get(name);
    const used = new Set([...this.#predictors].map((each) => `${each.version.name}/${each.version.version}`));
    if (tally === undefined || used.has(name)) return;
    this.#tallies.delete(name);
    this.#tallies.set(name, tally);
    const retired = [...this.#tallies.keys()].filter((each) => !used.has(each));
    for (const each of retired.slice(0, Math.max(0, retired.length - MAXIMUM_RETIRED))) this.#tallies.delete(each);
  }
}
