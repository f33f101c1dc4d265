import { hasCode, PIXELS_PER_IMAGE } from '@atelier/domain';
import type { Admission } from '../batching/admission.ts';
import type { Runnable } from '../batching/jobs.ts';
import type { Scheduler } from '../batching/scheduler.ts';
import type { Compute } from '../compute/compute.ts';
import type { EngineTrial } from '../compute/load-model.ts';
import type { Outputs, PredictOptions } from '../predictor/predictor.ts';
import { type Computation, type ExplainMethod, type Explanation, METHODS } from './explanation.ts';
import { gradientModel, GRADIENTS } from './gradient-model.ts';

export interface ExplainerParts {
  compute: Compute;
  scheduler: Scheduler;
  /** Of the images that are being explained. */
  admission: Admission;
  /** The published version as the engines know it. */
  runnable: Runnable;
  /** Of its file. */
  bytes: Uint8Array;
  /** The probabilities [count, 10] in rows that it gives. */
  probabilitiesIn: (rows: Float32Array) => Float32Array;
}

/**
 * Explains what one version predicts, behind all requests that wait for predictions. The graph of its gradients is made and
 * loaded when it is first asked for, which takes as long as to load the version, and goes with it.
 */
export class Explainer {
  readonly #parts: ExplainerParts;
  #gradients: Promise<Runnable> | undefined;

  constructor(parts: ExplainerParts) {
    this.#parts = parts;
  }

  /**
   * Explains each of images [count, 28, 28], of which the version has computed `outputs`. Rejects as `Predictor.predict` does,
   * and with `not-differentiable` where the version has no gradient.
   */
  async explain(
    images: Uint8Array,
    outputs: Outputs,
    method: ExplainMethod,
    { signal, deadline }: PredictOptions,
  ): Promise<Explanation[]> {
    const { scheduler, admission, runnable, probabilitiesIn } = this.#parts;
    const options: PredictOptions = {
      priority: 'explain',
      ...(signal && { signal }),
      ...(deadline !== undefined && { deadline }),
    };
    const computation: Computation = {
      gradients: async (each) => scheduler.submit(await this.#gradientRunnable(), each, options),
      probabilities: async (copies) => probabilitiesIn(await scheduler.submit(runnable, copies, options)),
    };
    return admission.enter(images.length / PIXELS_PER_IMAGE, () => METHODS[method](images, outputs, computation));
  }

  /** Releases what was loaded for it; nothing may be in flight. */
  async close(): Promise<void> {
    const { compute, scheduler } = this.#parts;
    const loaded = await this.#gradients?.catch(() => undefined);
    if (loaded === undefined) return;
    scheduler.forget(loaded);
    await compute.unload(loaded.model);
  }

  #gradientRunnable(): Promise<Runnable> {
    this.#gradients ??= this.#load().catch((error: unknown) => {
      // The graph stays as it is; an engine that died, or a service that stops, says nothing of it.
      if (!hasCode(error, 'not-differentiable')) this.#gradients = undefined;
      throw error;
    });
    return this.#gradients;
  }

  async #load(): Promise<Runnable> {
    const { compute, runnable, bytes } = this.#parts;
    const { name, version } = runnable.version;
    const model = gradientModel(bytes, `${name}/${version}`);
    const loaded = await compute.load({ bytes: model, outputs: [GRADIENTS], check: tryGradients });
    return { ...runnable, model: loaded.model, width: GRADIENTS.width, maximumRows: 1 };
  }
}

/** The first run is the slowest. */
async function tryGradients(trial: EngineTrial): Promise<void> {
  await trial.run(new Uint8Array(PIXELS_PER_IMAGE), 1);
}
