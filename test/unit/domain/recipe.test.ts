import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseRecipe, Recipe, type RecipeSource } from '@atelier/domain';
import { z } from 'zod';

const short: RecipeSource = {
  name: 'short',
  description: 'Only what has no default',
  hiddenLayers: [{ units: 16, activation: 'relu', batchNormalization: 'none', dropout: 0 }],
  initializer: 'glorot-uniform',
  inputRange: [0, 1],
  optimizer: { kind: 'sgd', learningRate: 0.1 },
  batchSize: 20,
  epochs: 3,
  validationShare: 0.2,
  seed: 7,
};

describe('recipes', () => {
  test('say of every field what it is', () => {
    const silent: string[] = [];
    const look = (schema: Schema, path: string) => {
      for (const [name, field] of Object.entries(schema.properties ?? {})) {
        if (field.description === undefined) silent.push(`${path}${name}`);
        look(field, `${path}${name}.`);
      }
      for (const option of [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) look(option, path);
      if (schema.items !== undefined) look(schema.items, path);
    };
    look(z.toJSONSchema(Recipe) as Schema, '');
    assert.deepEqual(silent, []);
  });

  test('leave images, gradients and weights alone unless they say otherwise', () => {
    const { augmentation, gradientClipping, weightAveraging, earlyStopping, schedule, weightDecay } =
      parseRecipe(short);
    assert.deepEqual(augmentation, {
      mirrorProbability: 0,
      shiftPixels: 0,
      scale: 0,
      aspect: 0,
      rotationDegrees: 0,
      contrast: 0,
      toneReversal: 0,
      remnantProbability: 0,
      erasing: null,
      mixup: null,
    });
    assert.deepEqual([gradientClipping, weightAveraging, earlyStopping], [null, null, null]);
    assert.deepEqual([schedule, weightDecay], [{ kind: 'constant' }, { kind: 'none' }]);
  });

  const refused: Record<string, [Partial<RecipeSource>, RegExp]> = {
    'a shift of more than half an image': [
      { augmentation: { shiftPixels: 15 } },
      /augmentation\.shiftPixels: expected a number from 0 to 14; came 15$/,
    ],
    'a negative scale': [
      { augmentation: { scale: -0.1 } },
      /augmentation\.scale: expected a number from 0 to 0\.5; came -0\.1$/,
    ],
    'an aspect that would fold images': [
      { augmentation: { aspect: 1 } },
      /augmentation\.aspect: expected a number from 0 to 0\.5; came 1$/,
    ],
    'more than half a turn': [
      { augmentation: { rotationDegrees: 181 } },
      /augmentation\.rotationDegrees: expected a number from 0 to 180; came 181$/,
    ],
    'a probability of reversed tones above one': [
      { augmentation: { toneReversal: 1.5 } },
      /augmentation\.toneReversal: expected a number from 0 to 1; came 1\.5$/,
    ],
    'a negative probability of remnants': [
      { augmentation: { remnantProbability: -0.1 } },
      /augmentation\.remnantProbability: expected a number from 0 to 1; came -0\.1$/,
    ],
    'a contrast that would turn images to negatives': [
      { augmentation: { contrast: 1.1 } },
      /augmentation\.contrast: expected a number from 0 to 1; came 1\.1$/,
    ],
    'erasing without an area': [
      { augmentation: { erasing: { probability: 0.5, maximumArea: 0 } } },
      /augmentation\.erasing\.maximumArea: expected a number above 0 to 1; came 0$/,
    ],
    'a mixup without an alpha': [
      { augmentation: { mixup: { alpha: 0 } } },
      /augmentation\.mixup\.alpha: expected a number from 0\.01 to 10; came 0$/,
    ],
    'clipping to nothing': [
      { gradientClipping: { globalNorm: 0 } },
      /gradientClipping\.globalNorm: expected a number above 0; came 0$/,
    ],
    'an average that never moves': [
      { weightAveraging: { decay: 1 } },
      /weightAveraging\.decay: expected a number above 0 to below 1; came 1$/,
    ],
    'a cycle that only rises': [
      { schedule: { kind: 'one-cycle', warmUpShare: 1 } },
      /schedule\.warmUpShare: expected a number from 0 to below 1; came 1$/,
    ],
    'more epochs than a year has hours': [{ epochs: 10_000_000 }, /epochs: expected a .*1 to 10,000; came 10000000$/],
    'epochs in words': [{ epochs: 'many' as unknown as number }, /epochs: expected a .*1 to 10,000; came "many"$/],
    'a teacher that is divided by nothing': [
      { distillation: { teacher: 'convolutional', digest: `sha256:${'0'.repeat(64)}`, temperature: 0 } },
      /distillation\.temperature: expected a number from 0\.1 to 100; came 0$/,
    ],
    'half a pixel range': [
      { inputRange: [0, null as unknown as number] },
      /inputRange\.1: expected a number; came null$/,
    ],
    'a monitor that no epoch reports': [
      { earlyStopping: { monitor: 'test-accuracy' as 'validation-accuracy', patience: 1 } },
      /earlyStopping\.monitor.*training-loss/,
    ],
  };
  for (const [fault, [change, message]] of Object.entries(refused)) {
    test(`with ${fault} are refused`, () => {
      assert.throws(() => parseRecipe({ ...short, ...change }), { code: 'invalid-recipe', message });
    });
  }
});

/** As much of JSON Schema as zod writes for a recipe. */
interface Schema {
  description?: string;
  properties?: Record<string, Schema>;
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
}
