import { setTimeout } from 'node:timers/promises';
import { CLASS_COUNT, DomainError, IMAGE_HEIGHT, IMAGE_WIDTH, messageOf, PIXELS_PER_IMAGE } from '@atelier/domain';
import { type Log, RetryLater } from '@atelier/http';
import { checkGolden, decodeGoldenImages, type PublishedVersion, readModel } from '@atelier/model-repository';
import { checkContract, checkTemperature } from './checks.ts';
import { type EngineHandle, startEngine } from './engine-handle.ts';
import type { DeviceClaim, Outputs, Predictor } from './predictor.ts';

/** Before the first new attempt; doubled for each further one until the maximum, and forgotten after an answer. */
const FIRST_DELAY_MS = 100;
const MAXIMUM_DELAY_MS = 10_000;

export interface PredictorOptions {
  log: Log;
  /** The worker's module, when it is not the project's own; it speaks the same messages. */
  entry?: URL;
}

/**
 * Reads a version and starts its engine. Rejects with `digest-mismatch`, `malformed-onnx`, `contract-mismatch` or
 * `golden-mismatch`: what comes out of here is what was published, and computes what was trained.
 */
export async function loadPredictor(version: PublishedVersion, options: PredictorOptions): Promise<Predictor> {
  checkTemperature(version.manifest);
  const model = await readModel(version);
  const start = () => startChecked(version, model, options);
  return new WorkerPredictor(version, await start(), start, options.log);
}

/** An engine that takes and gives what it must, and computes the golden outputs. */
async function startChecked(
  { manifest: { golden } }: PublishedVersion,
  model: Uint8Array,
  { entry }: PredictorOptions,
): Promise<EngineHandle> {
  const task = { model, imageShape: [IMAGE_HEIGHT, IMAGE_WIDTH], classCount: CLASS_COUNT } as const;
  const engine = await startEngine(task, entry);
  try {
    checkContract(engine.inputs, engine.outputs);
    checkGolden((await engine.predict(decodeGoldenImages(golden))).probabilities, golden);
    return engine;
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** Keeps one engine running: one that fails is replaced, and meanwhile requests are refused. */
class WorkerPredictor implements Predictor {
  readonly device: DeviceClaim = { requested: 'cpu', actual: 'cpu', reason: null };
  readonly version: PublishedVersion;
  readonly #start: () => Promise<EngineHandle>;
  readonly #log: Log;
  #engine: EngineHandle | undefined;
  #replacement: Promise<void> | undefined;
  #attempts = 0;
  readonly #closing = new AbortController();

  constructor(version: PublishedVersion, engine: EngineHandle, start: () => Promise<EngineHandle>, log: Log) {
    this.version = version;
    this.#start = start;
    this.#log = log;
    this.#use(engine);
  }

  get ready(): boolean {
    return this.#engine !== undefined && !this.#isClosing;
  }

  get #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  async predict(images: Uint8Array): Promise<Outputs> {
    if (images.length === 0 || images.length % PIXELS_PER_IMAGE !== 0) {
      throw new RangeError(`${images.length} pixels; expected a positive multiple of ${PIXELS_PER_IMAGE}.`);
    }
    if (this.#isClosing) throw new RetryLater('shutting-down', 'The service is stopping.');
    if (this.#engine === undefined) throw new RetryLater('not-ready', 'The engine is being restarted.');
    const outputs = await this.#engine.predict(images);
    this.#attempts = 0;
    if (outputs.probabilities.every(Number.isFinite)) return outputs;
    throw new DomainError('engine-fault', 'The model computed a probability that is no number.');
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#replacement;
    await this.#engine?.close();
  }

  #use(engine: EngineHandle): void {
    this.#engine = engine;
    void engine.ended.then((reason) => {
      this.#engine = undefined;
      if (this.#isClosing) return;
      this.#log.error({ err: reason }, 'The engine failed; starting another');
      this.#replacement = this.#replace();
    });
  }

  async #replace(): Promise<void> {
    while (!this.#isClosing) {
      const delayMs = Math.min(MAXIMUM_DELAY_MS, FIRST_DELAY_MS * 2 ** this.#attempts++);
      await pause(delayMs, this.#closing.signal);
      if (this.#isClosing) return;
      try {
        this.#use(await this.#start());
        this.#log.info('The engine runs again');
        return;
      } catch (error) {
        this.#log.error({ err: error }, `The engine does not start: ${messageOf(error)}`);
      }
    }
  }
}

/** Shorter when `signal` aborts. */
async function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  await setTimeout(durationMs, undefined, { signal }).catch(() => undefined);
}
