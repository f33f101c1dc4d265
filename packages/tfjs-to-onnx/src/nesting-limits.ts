import { malformed } from './errors.ts';

/** Calls of layers, each counted as often as the model that it is in is used. */
const MOST_CALLS = 100_000;

/** Names under which the weights of a layer are looked for: twice as many for each model or wrapper around it. */
const MOST_PATHS = 2 ** 10;

/** That what a few characters of a file multiply, models inside models, stays within bounds: otherwise `malformed-tfjs-model`. */
export function expectModerateNesting(layer: string, { calls, paths }: { calls: number; paths: number }): void {
  if (calls > MOST_CALLS) {
    throw malformed(
      `The models inside the model have more than ${MOST_CALLS} calls of layers, counted up to layer "${layer}"; expected fewer.`,
    );
  }
  if (paths > MOST_PATHS) {
    throw malformed(`Layer "${layer}" lies in more than ${Math.log2(MOST_PATHS)} models and wrappers; expected fewer.`);
  }
}
