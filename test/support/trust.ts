import { CLASS_COUNT, type Trust } from '@atelier/domain';

/** Thresholds for a test, and validation answers that named each class as often, half of them with 0.9 or more. */
export function trustOf({ confidence = 0.6, outlier = 2 }: { confidence?: number; outlier?: number } = {}): Trust {
  return {
    outliers: { threshold: outlier, passRate: 0.95 },
    confidence: { threshold: confidence, targetAccuracy: 0.95, accuracy: 0.95, passRate: 0.9 },
    reference: {
      count: 1000,
      classShares: new Array<number>(CLASS_COUNT).fill(1 / CLASS_COUNT),
      confidenceEdges: [0.6, 0.9],
      confidenceShares: [0.2, 0.3, 0.5],
    },
  };
}
