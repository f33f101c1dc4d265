import type { ErrorCode } from '@atelier/domain';
import { Distribution } from '@atelier/http';
import type { PublishedVersion } from '@atelier/model-repository';
import { collectDefaultMetrics, Registry } from 'prom-client';
import type { ComputedBatch } from '../batching/observer.ts';
import type { VersionStatus } from '../models/models.ts';
import type { Predictor } from '../predictor/predictor.ts';
import type { DriftFigures } from '../drift/drift-monitor.ts';
import { registerDriftMetrics } from './drift-metrics.ts';
import { watchEventLoop } from './event-loop-delay.ts';
import { ObservedPredictor } from './observed-predictor.ts';
import type { InferenceObserver, WaitingWork } from './observers.ts';
import type { SpanCounts } from './otlp-exporter.ts';
import { type CountedName, emptyCounts, registerOwnMetrics } from './own-metrics.ts';
import { registerTritonMetrics } from './triton-metrics.ts';
import { SECONDS, VersionTally } from './version-tally.ts';

/** Versions whose numbers stay when nothing computes with them any more: a service swaps for months, and a scrape stays small. */
const MAXIMUM_RETIRED = 16;

/** What is asked at a scrape, where it is known. */
export interface Watched {
  statuses?: () => readonly VersionStatus[];
  waiting?: () => WaitingWork;
  /** The process that computes, where that is another one. */
  computePid?: () => number | undefined;
  /** Of the exporter of traces. */
  spans?: () => SpanCounts;
  drift?: () => Iterable<DriftFigures>;
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
  #watched: Required<Watched> = {
    statuses: () => [],
    waiting: () => ({ pictures: 0, rows: 0, ratio: 0 }),
    computePid: () => undefined,
    spans: () => ({ exported: 0, dropped: 0 }),
    drift: () => [],
  };

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    registerOwnMetrics(this.registry, {
      tallies: () => this.#tallies.values(),
      counts: this.#counts,
      decodeSeconds: this.#decodeSeconds,
      eventLoopDelays: this.#eventLoop.delays,
      predictors: () => this.#predictors,
      statuses: () => this.#watched.statuses(),
      waiting: () => this.#watched.waiting(),
      computePid: () => this.#watched.computePid(),
      spans: () => this.#watched.spans(),
    });
    registerDriftMetrics(this.registry, () => this.#watched.drift());
    registerTritonMetrics(this.registry, () => this.#tallies.values());
  }

  watch(watched: Watched): void {
    this.#watched = { ...this.#watched, ...watched };
  }

  computed({ version, reason, rows, bucket, queueMs, computeMs }: ComputedBatch): void {
    const tally = this.#tallyOf(version.name, version.version);
    tally.batches++;
    tally.batchRows.add(rows);
    tally.paddingRows += bucket - rows;
    tally.computeSeconds.add(computeMs / 1000);
    tally.requestMs.compute += computeMs * queueMs.length;
    for (const ms of queueMs) {
      tally.queueSeconds.add(ms / 1000);
      tally.requestMs.queue += ms;
    }
    this.#count('batch_close_total', reason);
  }

  cancelled(stage: string): void {
    this.#count('requests_cancelled_total', stage);
  }

  decoded(durationMs: number): void {
    this.#decodeSeconds.add(durationMs / 1000);
  }

  turnedAway(code: ErrorCode): void {
    this.#count('requests_refused_total', code);
  }

  /** The words of a reason are as many as there are faults; which kind it was is a label. */
  restarted(reason: string): void {
    this.#count('engine_restarts_total', /\bstuck\b/i.test(reason) ? 'stuck' : 'died');
  }

  swapped(model: string): void {
    this.#count('model_swaps_total', model);
  }

  refused(_version: { name: string; version: number }, code: ErrorCode): void {
    this.#count('model_refusals_total', code);
  }

  compared(_canary: PublishedVersion, { images, disagrees }: { images: number; disagrees: number }): void {
    this.#count('shadow_images_total', 'same', images - disagrees);
    this.#count('shadow_images_total', 'other', disagrees);
  }

  shadowDropped(): void {
    this.#count('shadow_failures_total', 'dropped');
  }

  shadowFailed(_canary: PublishedVersion, code: ErrorCode): void {
    this.#count('shadow_failures_total', code);
  }

  observed(predictor: Predictor): Predictor {
    const { name, version } = predictor.version;
    const tally = this.#tallyOf(name, version);
    const observed = new ObservedPredictor(predictor, tally, {
      refused: (code) => this.#count('requests_refused_total', code),
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

  #count(name: CountedName, label: string, by = 1): void {
    const counts = this.#counts[name];
    counts.set(label, (counts.get(label) ?? 0) + by);
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
