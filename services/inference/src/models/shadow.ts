import { hasCode } from '@atelier/domain';
import type { Log } from '@atelier/http';
import type { Outputs, Predictor } from '../predictor/predictor.ts';
import { compareOutputs } from './compare-outputs.ts';
import { nameOf } from './loaded-version.ts';
import type { TrafficObserver } from './traffic-observer.ts';

/** A copy that is not computed by then would only take from those who wait. */
const PATIENCE_MS = 250;

/** Gives the canary copies of what the stable version has answered, and compares. */
export class Shadow {
  readonly #observer: TrafficObserver;
  readonly #log: Log;
  readonly #busy = new Set<Predictor>();

  constructor(observer: TrafficObserver, log: Log) {
    this.#observer = observer;
    this.#log = log;
  }

  /**
   * Returns at once and never fails. A canary has one copy at a time, behind all requests of people; another one is dropped.
   * `images` [count, 28, 28], which are copied; `answered` is what the stable version made of them.
   */
  send(canary: Predictor, images: Uint8Array, answered: Outputs): void {
    if (this.#busy.has(canary)) {
      this.#observer.shadowDropped(canary.version);
      return;
    }
    this.#busy.add(canary);
    const copy = new Uint8Array(images);
    // After the answer has gone out.
    setImmediate(() => {
      void this.#compare(canary, copy, answered).finally(() => this.#busy.delete(canary));
    });
  }

  async #compare(canary: Predictor, images: Uint8Array, answered: Outputs): Promise<void> {
    const { version } = canary;
    try {
      const options = { priority: 'copy', deadline: performance.now() + PATIENCE_MS } as const;
      const { probabilities } = await canary.predict(images, options);
      this.#observer.compared(version, compareOutputs(answered.probabilities, probabilities));
    } catch (error) {
      if (hasCode(error, 'deadline-exceeded', 'overloaded', 'not-ready', 'shutting-down')) {
        this.#observer.shadowDropped(version);
        return;
      }
      this.#log.debug({ err: error }, `${nameOf(version)} failed over a copy`);
      this.#observer.shadowFailed(version, hasCode(error, 'engine-lost', 'engine-fault') ? error.code : 'internal');
    }
  }
}
