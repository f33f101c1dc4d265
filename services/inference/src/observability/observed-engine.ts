import type { CountedInferences } from '../open-inference/statistics.ts';
import type { EngineObserver } from '../predictor/engine.ts';
import type { InferenceMetrics } from './inference-metrics.ts';

/** What an engine tells goes to the metrics, its batches to the protocol's statistics as well. */
export function observedEngine(metrics: InferenceMetrics, statistics: CountedInferences): EngineObserver {
  return {
    computed(batch) {
      metrics.computed(batch);
      statistics.computed(batch);
    },
    cancelled: (stage) => metrics.cancelled(stage),
    restarted: (reason) => metrics.restarted(reason),
    decoded: (durationMs) => metrics.decoded(durationMs),
    turnedAway: (code) => metrics.turnedAway(code),
  };
}
