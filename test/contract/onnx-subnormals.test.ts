import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { PIXELS_PER_IMAGE } from '@atelier/domain';
import { withTargets } from '@atelier/fashion-mnist';
import { createOnnxEngine } from '@atelier/trainer';
import { drawnExamples } from '../support/drawn-examples.ts';
import { smallRecipe } from '../support/small-recipe.ts';

const COUNT = 20;
/** The smallest float32 that is not subnormal. */
const SMALLEST_NORMAL = 2 ** -126;
const MOMENT = 'optimizer/first-moment-sum/hidden_1/kernel';

/** No weight of the first layer has a gradient. */
const black = withTargets({ ...drawnExamples(COUNT), images: new Uint8Array(COUNT * PIXELS_PER_IMAGE) }, 0);

// onnxruntime has such a mode for x64.
describe("Adam's moments that sink below the smallest normal number", { skip: process.arch !== 'x64' }, () => {
  for (const threads of [1, 2]) {
    test(`are 0, on ${threads} threads: processors are slow with such numbers`, async (t) => {
      const recipe = smallRecipe({ optimizer: { kind: 'adam', learningRate: 0.01 } });
      const engine = await createOnnxEngine(recipe, { threads });
      t.after(() => engine.dispose());
      const state = await engine.snapshot();
      const moment = state.tensors[MOMENT];
      assert.ok(moment !== undefined);
      moment.data.fill(1.05 * SMALLEST_NORMAL); // 0.9 of which is subnormal
      await engine.restore(state);
      await engine.train(black, new Float32Array([0.01]));
      const { tensors } = await engine.snapshot();
      assert.deepEqual(new Set(tensors[MOMENT]?.data), new Set([0]));
    });
  }
});
