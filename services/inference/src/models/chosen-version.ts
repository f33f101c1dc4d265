import type { PublishedVersion } from '@atelier/model-repository';
import type { DeviceClaim, Outputs, PredictOptions, Predictor } from '../predictor/predictor.ts';
import type { LoadedVersion } from './loaded-version.ts';

/**
 * Who answers one request. Between the choice and the images lies the reading of a body: where the version has been
 * released meanwhile, the choice is made again, so that a swap fails no request. `version` is who answered.
 */
export class ChosenVersion implements Predictor {
  #chosen: LoadedVersion;
  readonly #chooseAgain: () => LoadedVersion;
  readonly #answered: (by: LoadedVersion, images: Uint8Array, outputs: Outputs) => void;

  constructor(
    chosen: LoadedVersion,
    chooseAgain: () => LoadedVersion,
    answered: (by: LoadedVersion, images: Uint8Array, outputs: Outputs) => void,
  ) {
    this.#chosen = chosen;
    this.#chooseAgain = chooseAgain;
    this.#answered = answered;
  }

  get version(): PublishedVersion {
    return this.#chosen.predictor.version;
  }

  get device(): DeviceClaim {
    return this.#chosen.predictor.device;
  }

  get ready(): boolean {
    return this.#chosen.predictor.ready;
  }

  async predict(images: Uint8Array, options?: PredictOptions): Promise<Outputs> {
    if (this.#chosen.draining) this.#chosen = this.#chooseAgain();
    const chosen = this.#chosen;
    const outputs = await chosen.predictor.predict(images, options);
    this.#answered(chosen, images, outputs);
    return outputs;
  }

  /** Whoever was given a choice does not own the version: `Models` releases it. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
