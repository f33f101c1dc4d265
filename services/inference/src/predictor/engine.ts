import { CLASS_COUNT, hasCode, PIXELS_PER_IMAGE, PUBLISHED_GRAPH } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { checkGolden, decodeGoldenImages, type PublishedVersion, readModel } from '@atelier/model-repository';
import { Admission, type AdmissionLimits } from '../batching/admission.ts';
import { BUCKETS, MAXIMUM_ROWS } from '../batching/buckets.ts';
import type { BatchObserver } from '../batching/observer.ts';
import type { Runnable } from '../batching/jobs.ts';
import { Scheduler } from '../batching/scheduler.ts';
import { Compute } from '../compute/compute.ts';
import type { ComputeModel, EngineTrial } from '../compute/load-model.ts';
import type { FileDecoder } from '../image/decode.ts';
import { checkContract, checkTemperature } from './checks.ts';
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
      checkTemperature(version.manifest);
      const bytes = await readModel(version);
      const check = (trial: EngineTrial) => tryModel(trial, version);
      const loaded = await compute.load({ bytes, outputs: PREDICTION, check });
      const runnable = { model: loaded.model, version, width: WIDTH, maximumRows: MAXIMUM_ROWS };
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

/** What a row of a published version is: its logits, then its probabilities. */
const PREDICTION = PUBLISHED_GRAPH.outputs.map(({ name, shape: [, width] }) => ({ name, width }));
const WIDTH = PREDICTION.reduce((sum, { width }) => sum + width, 0);

/** Takes and gives what it must, computes the golden outputs, and has run once with every batch size. */
async function tryModel(trial: EngineTrial, { manifest: { golden } }: PublishedVersion): Promise<void> {
  checkContract(trial.inputs, trial.outputs);
  const images = decodeGoldenImages(golden);
  const computed = await trial.run(images, images.length / PIXELS_PER_IMAGE);
  checkGolden(probabilitiesIn(computed), golden);
  for (const bucket of BUCKETS) await trial.run(new Uint8Array(bucket * PIXELS_PER_IMAGE), bucket);
}

/** What is behind the logits in each row of [rows, 20]. */
function probabilitiesIn(outputs: Float32Array): Float32Array {
  return outputsIn(outputs).probabilities;
}

/** Rows [count, 20] as the outputs that they are. */
function outputsIn(rows: Float32Array): Outputs {
  const count = rows.length / WIDTH;
  const logits = new Float32Array(count * CLASS_COUNT);
  const probabilities = new Float32Array(count * CLASS_COUNT);
  for (let row = 0; row < count; row++) {
    const start = row * WIDTH;
    logits.set(rows.subarray(start, start + CLASS_COUNT), row * CLASS_COUNT);
    probabilities.set(rows.subarray(start + CLASS_COUNT, start + WIDTH), row * CLASS_COUNT);
  }
  return { logits, probabilities };
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
      return outputsIn(await admission.enter(rows, () => scheduler.submit(this.#runnable, images, options)));
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
