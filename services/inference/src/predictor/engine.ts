import { DomainError, hasCode, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { checkGolden, decodeGoldenImages, type PublishedVersion, readModel } from '@atelier/model-repository';
import { Admission, type AdmissionLimits } from '../batching/admission.ts';
import { BUCKETS, MAXIMUM_ROWS } from '../batching/buckets.ts';
import type { BatchObserver } from '../batching/observer.ts';
import { OnlineTraffic } from '../batching/online-traffic.ts';
import { Scheduler } from '../batching/scheduler.ts';
import { Compute } from '../compute/compute.ts';
import type { EngineTrial } from '../compute/load-model.ts';
import { type FileDecoder, isFileFault } from '../image/decode.ts';
import { Explainer } from '../explain/explainer.ts';
import { BatchedPredictor } from './batched-predictor.ts';
import { checkContract } from './checks.ts';
import { columnsOf, outputsIn, widthOf } from './output-columns.ts';
import type { DeviceClaim, Predictor } from './predictor.ts';

export interface EngineOptions extends AdmissionLimits {
  device: DeviceClaim['requested'];
  /** Engine threads. */
  workers: number;
  /** Pictures decoded at a time. */
  decoders: number;
  maximumDelayMs: number;
  stuckMs: number;
  log: Log;
  observer: EngineObserver;
  /** Another program for the compute process, for tests. */
  entry?: string;
}

export interface EngineObserver extends BatchObserver {
  /** The compute process was lost and is being replaced. */
  restarted(reason: string): void;
  /** A picture was decoded, waiting included. */
  decoded(durationMs: number): void;
  /** There was no room for a request, before a model had it. */
  turnedAway(code: 'overloaded'): void;
}

/** Everything that computes: decodes pictures, loads versions, and runs them in batches. */
export interface Engine {
  /** What versions are computed on; rejects with `device-unavailable` where none could be, which is no version's fault. */
  device(): Promise<DeviceClaim>;
  /**
   * Reads a version, loads it and tries it. Rejects with `digest-mismatch`, `malformed-onnx`, `contract-mismatch`,
   * `golden-mismatch` or `device-unavailable`: what comes out of here is what was published, and computes what was trained.
   */
  load(version: PublishedVersion): Promise<Predictor>;
  readonly decode: FileDecoder;
  /** Throws `overloaded` where a request of this kind would not be let in: before its body is read. */
  admit: (kind: 'file' | 'pixels') => void;
  /** The requests that somebody waits for; what can wait keeps out of their way. */
  readonly traffic: OnlineTraffic;
  /** What waits, for those who measure: pictures and rows. */
  waiting(): { pictures: number; rows: number; ratio: number };
  /** The compute process, for those who measure it. */
  pid(): number | undefined;
  close(): Promise<void>;
}

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { observer, workers, decoders, device, stuckMs, log, entry } = options;
  const decoding = new Admission({ ...options, alwaysTaken: decoders });
  const computing = new Admission({ ...options, alwaysTaken: workers * MAXIMUM_ROWS });
  const explaining = new Admission({ ...options, maximumQueue: MAXIMUM_EXPLAINED, alwaysTaken: workers });
  const traffic = new OnlineTraffic();
  const scheduler = new Scheduler({
    engines: workers,
    maximumDelayMs: options.maximumDelayMs,
    execute: async (engine, model, images, rows) => {
      const outputs = await compute.run(engine, model, images, rows);
      compute.works();
      return outputs;
    },
    observer,
  });
  const computeOptions = {
    device,
    engines: workers,
    decoders,
    stuckMs,
    log,
    ...(entry === undefined ? {} : { entry }),
  };
  const compute = await Compute.start(computeOptions, {
    lost(reason) {
      observer.restarted(reason);
      scheduler.failWaiting(new RetryLater('engine-lost', 'The engine died; another starts.', 1));
    },
    loading: (engine, isLoading) => scheduler.setLoading(engine, isLoading),
  });
  const turnAway = (error: unknown): never => {
    if (hasCode(error, 'overloaded')) observer.turnedAway('overloaded');
    throw error;
  };
  return {
    device: () => compute.device(),
    async load(version) {
      const bytes = await readModel(version);
      const check = (trial: EngineTrial) => tryModel(trial, version);
      const outputs = columnsOf(version.manifest);
      const loaded = await compute.load({ bytes, outputs, check });
      const width = widthOf(outputs);
      const runnable = { model: loaded.model, version, width, maximumRows: MAXIMUM_ROWS };
      const probabilitiesIn = (rows: Float32Array) => outputsIn(rows, width).probabilities;
      return new BatchedPredictor(runnable, loaded, {
        compute,
        scheduler,
        admission: computing,
        explainer: new Explainer({ compute, scheduler, admission: explaining, runnable, bytes, probabilitiesIn }),
        traffic,
      });
    },
    async decode(file, limits, options, signal) {
      const decode = async () => {
        const started = performance.now();
        try {
          const decoded = await compute.decode(file, limits, options, signal);
          observer.decoded(performance.now() - started);
          return decoded;
        } catch (error) {
          if (signal?.aborted && !hasCode(error, 'deadline-exceeded')) observer.cancelled('decode');
          if (isFileFault(error)) return error; // to refuse a file is work that was done, and says how fast it goes
          throw error;
        }
      };
      const decoded = await traffic.during(() => decoding.enter(1, decode, limits.countedPixels > 0)).catch(turnAway);
      if (decoded instanceof DomainError) throw decoded;
      return decoded;
    },
    admit(kind) {
      try {
        if (kind === 'file') decoding.check();
        computing.check();
      } catch (error) {
        turnAway(error);
      }
    },
    traffic,
    waiting: () => ({
      pictures: decoding.pending,
      rows: computing.pending,
      ratio: Math.max(decoding.ratio, computing.ratio),
    }),
    pid: () => compute.pid,
    close: () => compute.close(),
  };
}

/**
 * Images that are explained at a time. They wait behind all requests, with up to 169 variations of 784 bytes each: nobody is to
 * fill the memory with those.
 */
const MAXIMUM_EXPLAINED = 64;

/** Takes and gives what it must, computes the golden outputs, and has run once with every batch size. */
async function tryModel(trial: EngineTrial, { manifest }: PublishedVersion): Promise<void> {
  checkContract(trial, manifest);
  const images = decodeGoldenImages(manifest.golden);
  const rows = await trial.run(images, images.length / PIXELS_PER_IMAGE);
  checkGolden(outputsIn(rows, widthOf(columnsOf(manifest))), manifest.golden);
  for (const bucket of BUCKETS) await trial.run(new Uint8Array(bucket * PIXELS_PER_IMAGE), bucket);
}
