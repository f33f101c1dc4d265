import { tmpdir } from 'node:os';
import { usableCores } from '@atelier/doctor';
import type { Log } from '@atelier/http';
import type { OnlineTraffic } from '../batching/online-traffic.ts';
import { BulkProcess } from '../compute/bulk-process.ts';
import type { InferenceConfig } from '../config.ts';
import type { EvaluationParts } from '../routes/evaluate.ts';
import { BulkTurns } from './bulk-turns.ts';
import { Evaluations } from './evaluations.ts';
import { Scratch } from './scratch.ts';
import { EvaluationSlots } from './slots.ts';

export interface OpenEvaluation extends EvaluationParts {
  /** Lets evaluations that run end within `graceMs`, and ends what is left of them. */
  close(graceMs: number): Promise<void>;
}

/** What evaluations share, as a configuration says; nothing is started before the first of them. */
export function openEvaluation(config: InferenceConfig, traffic: OnlineTraffic, log: Log): OpenEvaluation {
  const { decoders = usableCores(), maximumPixels, scratchDirectory = tmpdir() } = config;
  const bulk = new BulkProcess({ decoders, maximumPixels, log });
  const slots = new EvaluationSlots({
    evaluations: config.evaluations,
    uploads: config.evaluationUploads,
    batches: config.evaluations,
  });
  const { datasetDirectory: directory, datasetCache: cacheDirectory } = config;
  return {
    limits: config,
    scratch: new Scratch(scratchDirectory, config),
    places: { directory, cacheDirectory },
    traffic,
    arrival: { idleMs: config.stalledMs, wholeMs: config.uploadTimeoutMs },
    turns: new BulkTurns(traffic),
    slots,
    evaluations: new Evaluations(config.evaluationsKept, log),
    decode: (files, options, signal) => bulk.decode(files, options, signal),
    page: (report) => bulk.page(report),
    async close(graceMs) {
      await slots.close(graceMs);
      await bulk.close();
    },
  };
}
