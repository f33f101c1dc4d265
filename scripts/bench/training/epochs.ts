import { mkdtemp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Recipe } from '@atelier/domain';
import { type EpochReport, performTask } from '@atelier/trainer';
import type { Sample, SampleOptions } from '../benchmark.ts';

/** The first is left out of the times: sessions and buffers are made in it. */
const EPOCHS = 4;
const QUICK = { epochs: 2, limit: 300 };

/**
 * A variant that trains on all images, as the training process of `npm run train` does, with evaluation, export and report.
 * Without early stopping, so that every sample trains the same. `epochSeconds` is the mean from the end of one epoch to
 * the end of the next, everything included; `checkpointSeconds` what of it went to the checkpoint; `peakBytes` the most
 * memory that the process held (resident set).
 */
export function measureEpochs(recipe: Recipe) {
  return async ({ isQuick, datasetDirectory, datasetCache, runsDirectory }: SampleOptions): Promise<Sample> => {
    const epochs = isQuick ? QUICK.epochs : EPOCHS;
    await mkdir(runsDirectory, { recursive: true }); // on the disk that runs are written to
    const directory = await mkdtemp(join(runsDirectory, 'benchmark-'));
    const ends: number[] = [];
    const reports: EpochReport[] = [];
    try {
      await performTask(
        {
          work: {
            kind: 'new',
            recipe: { ...recipe, epochs, earlyStopping: null },
            ...{ engine: 'onnx', device: 'cpu', limit: isQuick ? QUICK.limit : null },
          },
          dataset: { directory: datasetDirectory, cacheDirectory: datasetCache },
          ...{ runsDirectory: directory, modelsDirectory: directory, publishAs: null },
        },
        {
          onEpoch: (report) => {
            ends.push(performance.now());
            reports.push(report);
          },
        },
      );
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
    const measured = epochs - 1;
    const checkpoints = reports.slice(1).reduce((sum, { checkpointSeconds }) => sum + checkpointSeconds, 0);
    return {
      epochSeconds: ((ends.at(-1) ?? NaN) - (ends[0] ?? NaN)) / 1000 / measured,
      checkpointSeconds: checkpoints / measured,
      peakBytes: process.resourceUsage().maxRSS * 1024, // Node gives KiB on every system
    };
  };
}
