import { CLASS_COUNT, PIXELS_PER_IMAGE, type Recipe } from '@atelier/domain';
import type { EngineFactory, TrainingExamples } from '@atelier/trainer';
import { median } from '../../src/measurements/statistics.ts';
import type { Sample, SampleOptions } from '../benchmark.ts';

/** Enough for buffers to find their size and threads their place. */
const WARM_UP_CALLS = 2;

/**
 * A variant that measures steps in the steady state, `perCall` in each of so many calls: `stepMs` is the median call's.
 * The images are noise: the time of a step does not depend on what they show.
 */
export function measureSteps(recipe: Recipe, create: EngineFactory, full: { perCall: number; calls: number }) {
  return async ({ isQuick }: SampleOptions): Promise<Sample> => {
    const { perCall, calls } = isQuick ? { perCall: 1, calls: 1 } : full;
    const engine = await create(recipe);
    const examples = noise(perCall * recipe.batchSize);
    const rates = new Float32Array(perCall).fill(recipe.optimizer.learningRate);
    const times: number[] = [];
    for (let call = 0; call < WARM_UP_CALLS + calls; call++) {
      const started = performance.now();
      await engine.train(examples, rates);
      times.push((performance.now() - started) / perCall);
    }
    await engine.dispose();
    return { stepMs: median(times.slice(WARM_UP_CALLS)) };
  };
}

function noise(count: number): TrainingExamples {
  const targets = new Float32Array(count * CLASS_COUNT);
  for (let row = 0; row < count; row++) targets[row * CLASS_COUNT + (row % CLASS_COUNT)] = 1;
  const images = Uint8Array.from({ length: count * PIXELS_PER_IMAGE }, () => Math.floor(256 * Math.random()));
  return { count, images, targets };
}
