import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DIFFERENTIABLE } from '@atelier/onnx-training';
import fc from 'fast-check';
import { GRADIENT_CASES } from '../../support/gradients/cases/index.ts';
import { checkGradients } from '../../support/gradients/check-gradients.ts';
import { Draw } from '../../support/gradients/draw.ts';

/** The same examples in every run; another number in GRADIENT_SEED gives others. A failure prints it with a path. */
const seed = Number(process.env['GRADIENT_SEED'] ?? 20_170_825);
const EXAMPLES = Number(process.env['GRADIENT_EXAMPLES'] ?? 15);

describe(`gradients against central differences in float64, seed ${seed}`, () => {
  for (const { operator, about, example } of GRADIENT_CASES) {
    test(`${operator}${about === undefined ? '' : ` ${about}`}: the gradients are right to 1e-4`, async () => {
      const property = fc.asyncProperty(fc.gen(), async (generate) => {
        const draw = new Draw(generate);
        await checkGradients(operator, example(draw), draw);
      });
      await fc.assert(property, { seed, numRuns: EXAMPLES });
    });
  }

  test('every operator that a gradient flows through has examples here', () => {
    const tested = new Set(GRADIENT_CASES.map(({ operator }) => operator));
    assert.deepEqual([...tested].sort(), Object.keys(DIFFERENTIABLE));
  });
});
