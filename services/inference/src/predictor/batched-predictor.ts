import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { RetryLater } from '@atelier/http';
import type { PublishedVersion } from '@atelier/model-repository';
import type { Admission } from '../batching/admission.ts';
import type { Runnable } from '../batching/jobs.ts';
import type { OnlineTraffic } from '../batching/online-traffic.ts';
import type { Scheduler } from '../batching/scheduler.ts';
import type { Compute } from '../compute/compute.ts';
import type { ComputeModel } from '../compute/load-model.ts';
import type { Explainer } from '../explain/explainer.ts';
import type { ExplainMethod } from '../explain/explanation.ts';
import { outputsIn } from './output-columns.ts';
import type { DeviceClaim, ExplainedOutputs, Outputs, Predictor, PredictOptions } from './predictor.ts';

export interface PredictorParts {
  compute: Compute;
  scheduler: Scheduler;
  admission: Admission;
  explainer: Explainer;
  traffic: OnlineTraffic;
}

/** Computes with one version, in batches that it shares with whoever asks for the same. */
export class BatchedPredictor implements Predictor {
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
    const { admission, scheduler, traffic } = this.#parts;
    return this.#inTurn(images, async () => {
      const submit = () => scheduler.submit(this.#runnable, images, options);
      const enter = () => (options?.isBounded ? submit() : admission.enter(images.length / PIXELS_PER_IMAGE, submit));
      const isOnline = (options?.priority ?? 'online') === 'online';
      return outputsIn(await (isOnline ? traffic.during(enter) : enter()), this.#runnable.width);
    });
  }

  async explain(
    images: Uint8Array,
    outputs: Outputs,
    method: ExplainMethod,
    options: PredictOptions = {},
  ): Promise<ExplainedOutputs> {
    return this.#inTurn(images, async () => {
      const started = performance.now();
      const { explainer, traffic } = this.#parts;
      const explanations = await traffic.during(() => explainer.explain(images, outputs, method, options));
      if (options.timings !== undefined) options.timings['explain_ms'] = performance.now() - started;
      return { outputs, explanations };
    });
  }

  /** Nothing is released while `task` runs. */
  async #inTurn<T>(images: Uint8Array, task: () => Promise<T>): Promise<T> {
    if (images.length === 0 || images.length % PIXELS_PER_IMAGE !== 0) {
      throw new RangeError(`${images.length} pixels; expected a positive multiple of ${PIXELS_PER_IMAGE}.`);
    }
    if (this.#closed !== undefined) throw new RetryLater('shutting-down', 'The service is stopping.');
    if (!this.#parts.compute.ready) throw new RetryLater('not-ready', 'The engine is being restarted.', 1);
    this.#inFlight++;
    try {
      return await task();
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
    // Where the process has died, the models have gone with it.
    await this.#parts.explainer.close().catch(() => undefined);
    await this.#parts.compute.unload(this.#runnable.model).catch(() => undefined);
  }
}
