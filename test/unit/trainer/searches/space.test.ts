import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Recipe } from '@atelier/domain';
import { InvalidRequest, parseRequest, type RequestFault } from '@atelier/http';
import {
  defaultSpace,
  findRecipe,
  RECIPES,
  sampleRecipes,
  SearchRequest,
  SearchSpace,
  type TrialValues,
} from '@atelier/trainer';
import fc from 'fast-check';
import { smallLayer, smallRecipe } from '../../../support/small-recipe.ts';

const recipe = smallRecipe({ hiddenLayers: [smallLayer(), smallLayer({ units: 8 })] });
const RATE = '/optimizer/learningRate';
const rate = { kind: 'log-uniform', minimum: 1e-4, maximum: 1e-1 } as const;

function faultsOf(action: () => unknown): RequestFault[] {
  try {
    action();
  } catch (error) {
    if (error instanceof InvalidRequest) return error.faults;
    throw error;
  }
  assert.fail('expected faults');
}

const faultsOfSpace = (space: SearchSpace) => faultsOf(() => sampleRecipes(recipe, space, 3, 0));
const valuesOf = (space: SearchSpace, trials: number, seed = 0): TrialValues[] =>
  sampleRecipes(recipe, space, trials, seed).map(({ values }) => values);

describe('recipes drawn from a space', () => {
  const space: SearchSpace = {
    [RATE]: rate,
    '/batchSize': { kind: 'choice', values: [10, 20, 40] },
    '/hiddenLayers/*/dropout': { kind: 'uniform', minimum: 0.1, maximum: 0.4 },
    '/hiddenLayers/1/units': { kind: 'integer', minimum: 4, maximum: 9 },
  };

  test('have their values where the pointers point, a star in every element, and nothing else changed', () => {
    for (const { values, recipe: drawn } of sampleRecipes(recipe, space, 30, 1)) {
      assert.deepEqual(drawn, {
        ...recipe,
        optimizer: { ...recipe.optimizer, learningRate: values[RATE] },
        batchSize: values['/batchSize'],
        hiddenLayers: [
          { ...recipe.hiddenLayers[0], dropout: values['/hiddenLayers/*/dropout'] },
          {
            ...recipe.hiddenLayers[1],
            dropout: values['/hiddenLayers/*/dropout'],
            units: values['/hiddenLayers/1/units'],
          },
        ],
      });
      assert.deepEqual(drawn, Recipe.parse(drawn));
    }
  });

  test('are the same for the same seed, others for another, and the first of many for fewer trials', () => {
    assert.deepEqual(valuesOf(space, 20, 5), valuesOf(space, 20, 5));
    assert.notDeepEqual(valuesOf(space, 20, 5), valuesOf(space, 20, 6));
    assert.deepEqual(valuesOf(space, 7, 5), valuesOf(space, 20, 5).slice(0, 7));
  });

  test('keep the values of a dimension whatever the others are', () => {
    const rates = (others: SearchSpace) => valuesOf({ ...others, [RATE]: rate }, 20).map((values) => values[RATE]);
    assert.deepEqual(rates({}), rates({ '/batchSize': { kind: 'integer', minimum: 1, maximum: 60 } }));
  });

  test('spread a log-uniform dimension evenly over the orders of magnitude, a uniform one over the numbers', () => {
    const drawn = valuesOf(
      { [RATE]: rate, '/loss/labelSmoothing': { kind: 'uniform', minimum: 0, maximum: 0.3 } },
      900,
    );
    const thirds = (places: number[]) =>
      [0, 1, 2].map((third) => places.filter((at) => Math.floor(at * 3) === third).length);
    // 900 draws, 300 expected in each third: a standard deviation is 14.
    const decades = thirds(drawn.map((values) => (Math.log10(Number(values[RATE])) + 4) / 3));
    const smoothing = thirds(drawn.map((values) => Number(values['/loss/labelSmoothing']) / 0.3));
    for (const count of [...decades, ...smoothing])
      assert.ok(count > 240 && count < 360, JSON.stringify({ decades, smoothing }));
  });

  test('reach both ends of an integer dimension and every choice', () => {
    const drawn = valuesOf({ '/hiddenLayers/1/units': { kind: 'integer', minimum: 4, maximum: 6 } }, 3);
    assert.deepEqual(drawn.map((values) => values['/hiddenLayers/1/units']).sort(), [4, 5, 6]);
  });

  test('are all different while combinations are left, and all trials there are when none is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(1000),
        (choices, last, seed) => {
          const small: SearchSpace = {
            '/batchSize': { kind: 'choice', values: Array.from({ length: choices }, (_, index) => index + 1) },
            '/hiddenLayers/0/units': { kind: 'integer', minimum: 1, maximum: last + 1 },
          };
          const combinations = choices * (last + 1);
          const drawn = valuesOf(small, combinations + 2, seed).map((values) => JSON.stringify(values));
          assert.equal(new Set(drawn.slice(0, combinations)).size, combinations);
          assert.equal(drawn.length, combinations + 2);
        },
      ),
      { numRuns: 50, seed: 3 },
    );
  });

  test('are drawn at once where equal choices, or ends that round to one number, leave nothing new', () => {
    const equal = { kind: 'choice', values: Array<number>(50).fill(0.1) } as const;
    const layers = Array.from({ length: 16 }, () => smallLayer());
    const dropouts: SearchSpace = Object.fromEntries(
      layers.map((_, index) => [`/hiddenLayers/${index}/dropout`, equal]),
    );
    const deep = smallRecipe({ hiddenLayers: layers });
    assert.equal(sampleRecipes(deep, dropouts, 3, 0).length, 3);
    const six = { kind: 'choice', values: [0, 0.1, 0.2, 0.3, 0.4, 0.5] } as const;
    const narrow = { kind: 'uniform', minimum: 0.1234561, maximum: 0.1234562 } as const;
    const sixes = Object.fromEntries(Object.keys(dropouts).map((pointer) => [pointer, six]));
    assert.equal(sampleRecipes(deep, { ...dropouts, [RATE]: narrow }, 3, 0).length, 3);
    const drawn = sampleRecipes(deep, { ...sixes, [RATE]: narrow }, 20, 0).map(({ values }) => JSON.stringify(values));
    assert.equal(new Set(drawn).size, 20);
  });

  test('may have whole parts of a recipe chosen, with their defaults filled in', () => {
    const optimizers = [{ kind: 'momentum', learningRate: 0.1 }];
    const [drawn] = sampleRecipes(recipe, { '/optimizer': { kind: 'choice', values: optimizers } }, 1, 0);
    const filled = { kind: 'momentum', learningRate: 0.1, momentum: 0.9, nesterov: false };
    assert.deepEqual(drawn?.recipe.optimizer, filled);
  });
});

describe('a space that does not fit its recipe', () => {
  const uniform = (minimum: number, maximum: number) => ({ kind: 'uniform', minimum, maximum }) as const;

  test('names each field that there is not, and those there are', () => {
    const faults = faultsOfSpace({
      '/optimizer/momentum': uniform(0, 0.9),
      '/hiddenLayers/2/dropout': uniform(0, 0.5),
      '/gradientClipping/globalNorm': uniform(1, 2),
      '/hiddenLayers/length': uniform(1, 2),
    });
    assert.deepEqual(faults, [
      {
        pointer: '/space/~1optimizer~1momentum',
        detail: '/optimizer has no "momentum"; it has kind, learningRate, beta1, beta2, epsilon',
      },
      {
        pointer: '/space/~1hiddenLayers~12~1dropout',
        detail: '/hiddenLayers has no "2"; it has 0 to 1, or * for all',
      },
      {
        pointer: '/space/~1gradientClipping~1globalNorm',
        detail: '/gradientClipping is null in this recipe, so it has no "globalNorm"',
      },
      {
        pointer: '/space/~1hiddenLayers~1length',
        detail: '/hiddenLayers has no "length"; it has 0 to 1, or * for all',
      },
    ]);
  });

  test('points at each end and each choice that the field does not take', () => {
    const faults = faultsOfSpace({
      '/hiddenLayers/*/dropout': uniform(-0.1, 1),
      '/batchSize': { kind: 'choice', values: [10, 0, 'many'] },
      '/hiddenLayers/0/units': { kind: 'integer', minimum: 1, maximum: 20_000 },
    });
    assert.deepEqual(
      faults.map((fault) => ('pointer' in fault ? fault.pointer : '')),
      [
        '/space/~1hiddenLayers~1*~1dropout/minimum',
        '/space/~1hiddenLayers~1*~1dropout/maximum',
        '/space/~1batchSize/values/1',
        '/space/~1batchSize/values/2',
        '/space/~1hiddenLayers~10~1units/maximum',
      ],
    );
    assert.equal(faults[1]?.detail, 'expected a number from 0 to below 1; came 1');
  });

  test('is found where only what lies between the ends does not fit', () => {
    const [fault] = faultsOfSpace({ '/hiddenLayers/0/units': uniform(8, 64) });
    assert.deepEqual(fault, {
      pointer: '/space/~1hiddenLayers~10~1units',
      detail: 'expected a whole number from 1 to 16,384; came 42.609903369994115',
    });
  });

  test('may not vary what trials are compared by', () => {
    for (const field of ['epochs', 'seed', 'validationShare', 'name', 'description']) {
      const [fault] = faultsOfSpace({ [`/${field}`]: { kind: 'choice', values: [1] } });
      assert.match(fault?.detail ?? '', /^cannot be searched: /, field);
    }
  });

  test('may not set a field twice', () => {
    const dropout = uniform(0, 0.5);
    for (const [one, other] of [
      ['/hiddenLayers/*/dropout', '/hiddenLayers/1/dropout'],
      ['/hiddenLayers/0', '/hiddenLayers/*/dropout'],
    ] as const) {
      const choice = { kind: 'choice', values: [{ ...recipe.hiddenLayers[0] }] } as const;
      const space = { [one]: one.endsWith('dropout') ? dropout : choice, [other]: dropout } as SearchSpace;
      const [fault, ...more] = faultsOfSpace(space);
      assert.match(fault?.detail ?? '', new RegExp(`^sets the same field as ${one.replace('*', '\\*')}`));
      assert.deepEqual(more, []);
    }
  });

  test('is found where values do not go together', () => {
    const space: SearchSpace = { '/inputRange/0': uniform(-1, 0.9), '/inputRange/1': uniform(0.1, 1) };
    const [fault] = faultsOf(() => sampleRecipes(recipe, space, 200, 0));
    assert.match(fault?.detail ?? '', /do not go together: inputRange: the minimum must be below the maximum$/);
  });

  test('is refused by its own form first: pointers, ascending ends, the number of dimensions', () => {
    const faultOf = (space: unknown) =>
      faultsOf(() => parseRequest(SearchRequest, { recipe: 'ann-128', trials: 1, space }))[0];
    assert.deepEqual(faultOf({ learningRate: rate }), {
      pointer: '/space/learningRate',
      detail: 'expected a JSON Pointer into the recipe, such as /optimizer/learningRate',
    });
    for (const kind of ['uniform', 'log-uniform', 'integer']) {
      assert.deepEqual(faultOf({ [RATE]: { kind, minimum: 2, maximum: 2 } }), {
        pointer: '/space/~1optimizer~1learningRate/maximum',
        detail: 'the maximum must be above the minimum',
      });
    }
    const none = { pointer: '/space/~1optimizer~1learningRate/minimum', detail: 'Too small: expected number to be >0' };
    assert.deepEqual(faultOf({ [RATE]: { ...rate, minimum: 0 } }), none);
    assert.deepEqual(faultOf({}), { pointer: '/space', detail: 'expected 1 to 32 dimensions, got 0' });
    assert.deepEqual(faultOf({ '/optimizer': { kind: 'choice', values: [{ a: 1, b: 2 }, 3, { b: 2, a: 1 }] } }), {
      pointer: '/space/~1optimizer/values/2',
      detail: 'equals values/0; expected each value once',
    });
    for (const kind of ['uniform', 'log-uniform']) {
      assert.deepEqual(faultOf({ [RATE]: { kind, minimum: 0.1234561, maximum: 0.1234562 } }), {
        pointer: '/space/~1optimizer~1learningRate/maximum',
        detail: 'equals the minimum when rounded to 6 significant digits',
      });
    }
    const hundred = { kind: 'choice', values: Array.from({ length: 100 }, (_, index) => index) };
    assert.deepEqual(faultOf(Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`/a${index}`, hundred]))), {
      pointer: '/space',
      detail: 'expected at most 1000 values in all dimensions together, got 1100',
    });
    const many = Object.fromEntries(Array.from({ length: 33 }, (_, index) => [`/a${index}`, rate]));
    assert.deepEqual(faultOf(many), { pointer: '/space', detail: 'expected 1 to 32 dimensions, got 33' });
  });
});

describe('the default space', () => {
  test('fits every recipe we ship, and the most awkward ones', () => {
    const awkward = [
      smallRecipe({ batchSize: 1 }),
      smallRecipe({ batchSize: 60_000, weightDecay: { kind: 'l2', rate: 0.9, appliesTo: 'all' } }),
      smallRecipe({ optimizer: { kind: 'momentum', learningRate: 1e-9 } }),
    ];
    for (const each of [...RECIPES.values(), ...awkward]) {
      const space = SearchSpace.parse(defaultSpace(each));
      assert.equal(sampleRecipes(each, space, 50, 0).length, 50);
    }
  });

  test('of ann-128 is about its training: learning rate, batch size and dropout', () => {
    assert.deepEqual(defaultSpace(findRecipe('ann-128')), {
      [RATE]: { kind: 'log-uniform', minimum: 0.0002, maximum: 0.02 },
      '/batchSize': { kind: 'choice', values: [16, 32, 64, 128] },
      '/hiddenLayers/*/dropout': { kind: 'uniform', minimum: 0, maximum: 0.5 },
    });
  });
});
