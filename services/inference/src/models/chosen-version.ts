import type { PublishedVersion } from '@atelier/model-repository';
import type { ExplainMethod } from '../explain/explanation.ts';
import type { DeviceClaim, ExplainedOutputs, Outputs, PredictOptions, Predictor } from '../predictor/predictor.ts';
import type { LoadedVersion } from './loaded-version.ts';

/** What a choice is made by, and whom it tells. */
export interface ChoiceParts {
  choose(): LoadedVersion;
  answered(by: LoadedVersion, images: Uint8Array, outputs: Outputs): void;
  /** Whoever could go elsewhere should: the service answers, and will not for long. */
  isStopping(): boolean;
}

/**
 * Who answers one request. Between the choice and the images lies the reading of a body: where the version has been
 * released meanwhile, the choice is made again, so that a swap fails no request. `version` is who answered.
 */
export class ChosenVersion implements Predictor {
  #chosen: LoadedVersion;
  readonly #parts: ChoiceParts;

  constructor(parts: ChoiceParts) {
    this.#chosen = parts.choose();
    this.#parts = parts;
  }

  get version(): PublishedVersion {
    return this.#chosen.predictor.version;
  }

  get device(): DeviceClaim {
    return this.#chosen.predictor.device;
  }

  get ready(): boolean {
    return this.#chosen.predictor.ready && !this.#parts.isStopping();
  }

  async predict(images: Uint8Array, options?: PredictOptions): Promise<Outputs> {
    if (this.#chosen.draining) this.#chosen = this.#parts.choose();
    const chosen = this.#chosen;
    const outputs = await chosen.predictor.predict(images, options);
    this.#parts.answered(chosen, images, outputs);
    return outputs;
  }

  async explain(
    images: Uint8Array,
    outputs: Outputs,
    method: ExplainMethod,
    options?: PredictOptions,
  ): Promise<ExplainedOutputs> {
    // Nobody explains what another version predicted.
    const own = this.#chosen.draining ? await this.predict(images, options) : outputs;
    return this.#chosen.predictor.explain(images, own, method, options);
  }

  /** Whoever was given a choice does not own the version: `Models` releases it. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
