import type { Dataset } from '@atelier/fashion-mnist';
import { drawnExamples } from './drawn-examples.ts';

/**
 * A data set of drawn images that `train` takes; some test labels are wrong, so that every network makes mistakes, and
 * `wrongShare` of those to train on.
 */
export function drawnDataset(wrongShare = 0): Dataset {
  return {
    train: drawnExamples(400, 1, wrongShare),
    test: drawnExamples(200, 2, 0.2),
    digest: `sha256:${'0'.repeat(64)}`,
    source: 'drawn by the test',
  };
}
