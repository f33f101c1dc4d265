import { CLASS_COUNT, hasCode, type Manifest, PIXELS_PER_IMAGE, publishedOutputs } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { checkGolden, decodeGoldenImages, type PublishedVersion, readModel } from '@atelier/model-repository';
import { Admission, type AdmissionLimits } from '../batching/admission.ts';
import { BUCKETS, MAXIMUM_ROWS } from '../batching/buckets.ts';
import type { BatchObserver } from '../batching/observer.ts';
import type { Runnable } from '../batching/jobs.ts';
import { Scheduler } from '../batching/scheduler.ts';
import { Compute } from '../compute/compute.ts';
import type { ComputeModel, EngineTrial } from '../compute/load-model.ts';
import type { OutputColumns } from '../compute/messages.ts';
import type { FileDecoder } from '../image/decode.ts';
import { checkContract } from './checks.ts';
import type { DeviceClaim, Outputs, Predictor, PredictOptions } from './predictor.ts';

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
  /** What waits, for those who measure: pictures and rows. */
  waiting(): { pictures: number; rows: number };
  /** The compute process, for those who measure it. */
  pid(): number | undefined;
  close(): Promise<void>;
}

export async function startEngine(options: EngineOptions): Promise<Engine> {
  const { observer, workers, decoders, device, stuckMs, log, entry } = options;
  const decoding = new Admission({ ...options, alwaysTaken: decoders });
  const computing = new Admission({ ...options, alwaysTaken: workers * MAXIMUM_ROWS });
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
      const runnable = { model: loaded.model, version, width: widthOf(outputs), maximumRows: MAXIMUM_ROWS };
      return new BatchedPredictor(runnable, loaded, {
        compute,
        scheduler,
        admission: computing,
      });
    },
    decode(file, limits, options, signal) {
      const decode = async () => {
        const started = performance.now();
        try {
          const decoded = await compute.decode(file, limits, options, signal);
          observer.decoded(performance.now() - started);
          return decoded;
        } catch (error) {
          if (signal?.aborted && !hasCode(error, 'deadline-exceeded')) observer.cancelled('decode');
          throw error;
        }
      };
      return decoding.enter(1, decode, limits.countedPixels > 0).catch(turnAway);
    },
    admit(kind) {
      try {
        if (kind === 'file') decoding.check();
        computing.check();
      } catch (error) {
        turnAway(error);
      }
    },
    waiting: () => ({ pictures: decoding.pending, rows: computing.pending }),
    pid: () => compute.pid,
    close: () => compute.close(),
  };
}

/** What a row of a version is: its logits, its probabilities, and its outlier score where it gives one. */
function columnsOf(manifest: Manifest): OutputColumns[] {
  return publishedOutputs(manifest).map(({ name, shape: [, width = 1] }) => ({ name, width }));
}

function widthOf(columns: readonly OutputColumns[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0);
}

/** Takes and gives what it must, computes the golden outputs, and has run once with every batch size. */
async function tryModel(trial: EngineTrial, { manifest }: PublishedVersion): Promise<void> {
  checkContract(trial, manifest);
  const images = decodeGoldenImages(manifest.golden);
  const rows = await trial.run(images, images.length / PIXELS_PER_IMAGE);
  checkGolden(outputsIn(rows, widthOf(columnsOf(manifest))), manifest.golden);
  for (const bucket of BUCKETS) await trial.run(new Uint8Array(bucket * PIXELS_PER_IMAGE), bucket);
}

const PROBABILITIES_END = 2 * CLASS_COUNT;

/** Rows [count, 20], or [count, 21] with outlier scores, as the outputs that they are. */
function outputsIn(rows: Float32Array, width: number): Outputs {
  const count = rows.length / width;
  const logits = new Float32Array(count * CLASS_COUNT);
  const probabilities = new Float32Array(count * CLASS_COUNT);
  const outlierScores = width > PROBABILITIES_END ? new Float32Array(count) : undefined;
  for (let row = 0; row < count; row++) {
    const start = row * width;
    logits.set(rows.subarray(start, start + CLASS_COUNT), row * CLASS_COUNT);
    probabilities.set(rows.subarray(start + CLASS_COUNT, start + PROBABILITIES_END), row * CLASS_COUNT);
    if (outlierScores !== undefined) outlierScores[row] = rows[start + PROBABILITIES_END] ?? NaN;
  }
  return outlierScores === undefined ? { logits, probabilities } : { logits, probabilities, outlierScores };
}

interface PredictorParts {
  compute: Compute;
  scheduler: Scheduler;
  admission: Admission;
}

class BatchedPredictor implements Predictor {
  readonly version: PublishedVersion;
  readonly #loaded: ComputeModel;
  readonly #runnable: Runnable;
  readonly #parts: PredictorParts;
  #inFlight = 0;
  #closed: Promise<void> | undefined;
  #whenIdle: () => void = () => undefined;

  constructor(runnable: Runnable, loaded: ComputeModel, parts: PredictorParts) {
    this.version = runnable.version;
    this.#loaded = loaded;
    this.#runnable = runnable;
    this.#parts = parts;
  }

  get device(): DeviceClaim {
    return this.#loaded.device;
  }

  get ready(): boolean {
    return this.#parts.compute.ready && this.#closed === undefined;
  }

  async predict(images: Uint8Array, options?: PredictOptions): Promise<Outputs> {
    if (images.length === 0 || images.length % PIXELS_PER_IMAGE !== 0) {
      throw new RangeError(`${images.length} pixels; expected a positive multiple of ${PIXELS_PER_IMAGE}.`);
    }
    if (this.#closed !== undefined) throw new RetryLater('shutting-down', 'The service is stopping.');
    if (!this.#parts.compute.ready) throw new RetryLater('not-ready', 'The engine is being restarted.', 1);
    this.#inFlight++;
    try {
      const { admission, scheduler } = this.#parts;
      const rows = images.length / PIXELS_PER_IMAGE;
      const numbers = await admission.enter(rows, () => scheduler.submit(this.#runnable, images, options));
      return outputsIn(numbers, this.#runnable.width);
    } finally {
      if (--this.#inFlight === 0) this.#whenIdle();
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#drain());
  }

  async #drain(): Promise<void> {
    if (this.#inFlight > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    this.#parts.scheduler.forget(this.#runnable);
    await this.#parts.compute.unload(this.#runnable.model).catch(() => undefined); // it died, and the model with it
  }
}
