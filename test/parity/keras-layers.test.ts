import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import { across, at, filled, mean, numbers, variance } from '../support/plain-arrays.ts';
import { type Numbers, runConverted } from '../support/run-converted.ts';
import { functional, type LayerJson, sequential, type WeightJson } from '../unit/tfjs-to-onnx/artifacts.ts';

/** What TensorFlow.js cannot load or run: the expected numbers are what Keras's documentation says, in plain loops. */
async function gives(
  artifacts: LayersModelArtifacts,
  inputs: readonly Numbers[],
  expected: Numbers,
  options = {},
): Promise<void> {
  const largest = Math.max(...expected.values.map(Math.abs));
  assert.ok(largest > 0);
  for (const opset of [13, 17, 21]) {
    const [found] = await runConverted(artifacts, inputs, { opset, ...options });
    assert.deepEqual(found?.shape, expected.shape);
    found.values.forEach((value, index) => {
      const difference = Math.abs(value - (expected.values[index] ?? NaN));
      assert.ok(difference <= 1e-5 * largest, `element ${index}: ${value}, by hand ${expected.values[index]}`);
    });
  }
}

/** A layer on an input of this shape, by Keras, with weights. */
function one(shape: readonly (number | null)[], layer: LayerJson, weights: readonly WeightJson[] = []) {
  return sequential(shape, [layer], weights);
}

/** A layer of several inputs of these shapes, without the batch. */
function many(shapes: readonly (readonly number[])[], [className, config]: LayerJson) {
  const names = shapes.map((_, index) => `x${index}`);
  const inputs = names.map(
    (name, index) => ['InputLayer', { name, batch_input_shape: [null, ...(shapes[index] ?? [])] }, []] as const,
  );
  const inbound = [names.map((name) => [name, 0, 0, {}])];
  return functional([...inputs, [className, { name: 'y', ...config }, inbound]], [['y', 0, 0]]);
}

function weight(name: string, source: Numbers): WeightJson {
  return [name, source.shape, source.values];
}

test('Subtract: the first less the second', async () => {
  const [a, b] = [numbers([2, 3, 4], 1), numbers([2, 4], 2)];
  const expected = filled(
    [2, 3, 4],
    ([batch = 0, row = 0, column = 0]) => at(a, [batch, row, column]) - at(b, [batch, column]),
  );
  await gives(many([[3, 4], [4]], ['Subtract', {}]), [a, b], expected);
});

test('Dot of ranks 4 and 3: sums over any axis, in the order of the other axes', async () => {
  const [a, b] = [numbers([2, 3, 4, 5], 1), numbers([2, 4, 6], 2)];
  const expected = filled([2, 3, 5, 6], ([batch = 0, row = 0, column = 0, other = 0]) =>
    [0, 1, 2, 3].reduce((sum, k) => sum + at(a, [batch, row, k, column]) * at(b, [batch, k, other]), 0),
  );
  await gives(
    many(
      [
        [3, 4, 5],
        [4, 6],
      ],
      ['Dot', { axes: [2, 1] }],
    ),
    [a, b],
    expected,
  );
});

test('ELU with an alpha of its own', async () => {
  const x = numbers([2, 6]);
  const expected = filled(x.shape, (place) => (at(x, place) > 0 ? at(x, place) : 0.4 * Math.expm1(at(x, place))));
  await gives(one([6], ['ELU', { name: 'y', alpha: 0.4 }]), [x], expected);
});

for (const negative_slope of [0, 0.2]) {
  for (const threshold of [0, 0.7, -0.5]) {
    for (const max_value of [null, 1.1]) {
      test(`ReLU with slope ${negative_slope}, threshold ${threshold}, maximum ${max_value}`, async () => {
        const x = numbers([2, 30]);
        x.values.forEach((value, index) => assert.ok(index < 60 && value !== threshold));
        const expected = filled(x.shape, (place) => {
          const value = at(x, place);
          const above = value > threshold ? value : 0;
          const limited = max_value === null ? above : Math.min(Math.max(above, 0), max_value);
          return limited - negative_slope * Math.max(0, threshold - value);
        });
        await gives(one([30], ['ReLU', { name: 'y', negative_slope, threshold, max_value }]), [x], expected);
      });
    }
  }
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const hardSigmoid = (x: number) => Math.min(Math.max(x / 6 + 0.5, 0), 1);
const outside = (x: number, shift: number) => (Math.abs(x) <= 0.5 ? 0 : x - shift * Math.sign(x));

for (const [activation, compute] of Object.entries<(x: number) => number>({
  celu: (x) => Math.max(0, x) + Math.min(0, Math.expm1(x)),
  exponential: Math.exp,
  hard_shrink: (x) => outside(x, 0),
  hard_silu: (x) => x * hardSigmoid(x),
  hard_swish: (x) => x * hardSigmoid(x),
  hard_tanh: (x) => Math.min(Math.max(x, -1), 1),
  leaky_relu: (x) => (x < 0 ? 0.2 * x : x),
  log_sigmoid: (x) => Math.log(sigmoid(x)),
  silu: (x) => x * sigmoid(x),
  soft_shrink: (x) => outside(x, 0.5),
  squareplus: (x) => (x + Math.sqrt(x ** 2 + 4)) / 2,
  tanh_shrink: (x) => x - Math.tanh(x),
})) {
  test(`Activation ${activation}`, async () => {
    const x = { ...numbers([2, 20]), values: numbers([2, 20]).values.map((value) => 3 * value) };
    const expected = filled(x.shape, (place) => compute(at(x, place)));
    await gives(one([20], ['Activation', { name: 'y', activation }]), [x], expected);
  });
}

test('Softmax along an axis that is not the last', async () => {
  const x = numbers([2, 3, 4]);
  const expected = filled(x.shape, (place) => {
    const total = across(x, place, [1]).reduce((sum, value) => sum + Math.exp(value), 0);
    return Math.exp(at(x, place)) / total;
  });
  await gives(one([3, 4], ['Softmax', { name: 'y', axis: 1 }]), [x], expected);
});

const statistics = (shape: readonly number[]) => ({
  gamma: numbers(shape, 3),
  beta: numbers(shape, 4),
  moving_mean: numbers(shape, 5),
  moving_variance: filled(shape, (place) => 0.5 + Math.abs(at(numbers(shape, 6), place))),
});

for (const [title, shape, axis, along] of [
  ['of five axes', [2, 3, 2, 4], -1, [4]],
  ['of the axis behind the batch', [4, 3], 1, [1]],
  ['of two axes together', [3, 2, 4], [1, 3], [1, 3]],
] as const) {
  test(`BatchNormalization ${title}`, async () => {
    const x = numbers([2, ...shape]);
    const whole = x.shape.map((size, each) => ((along as readonly number[]).includes(each) ? size : 1));
    const sizes = along.length > 1 ? whole : whole.filter((size) => size > 1);
    const { gamma, beta, moving_mean, moving_variance } = statistics(sizes);
    const shaped = (source: Numbers) => ({ ...source, shape: whole });
    const expected = filled(x.shape, (place) => {
      const scale = at(shaped(gamma), place) / Math.sqrt(at(shaped(moving_variance), place) + 0.01);
      return (at(x, place) - at(shaped(moving_mean), place)) * scale + at(shaped(beta), place);
    });
    const weights = Object.entries({ gamma, beta, moving_mean, moving_variance });
    await gives(
      one(
        shape,
        ['BatchNormalization', { name: 'y', axis, epsilon: 0.01 }],
        weights.map(([name, source]) => weight(`y/${name}`, source)),
      ),
      [x],
      expected,
    );
  });
}

test('LayerNormalization of five axes', async () => {
  const x = numbers([2, 3, 2, 2, 4]);
  const [gamma, beta] = [numbers([4], 3), numbers([4], 4)];
  const expected = filled(x.shape, (place) => {
    const values = across(x, place, [4]);
    return ((at(x, place) - mean(values)) / Math.sqrt(variance(values) + 1e-3)) * at(gamma, place) + at(beta, place);
  });
  const weights = [weight('y/gamma', gamma), weight('y/beta', beta)];
  await gives(one([3, 2, 2, 4], ['LayerNormalization', { name: 'y' }], weights), [x], expected);
});

test('Normalization by weights along one axis or two, by one pair of numbers, or by settings', async () => {
  const x = numbers([2, 3, 4]);
  for (const [axis, shape] of [
    [[-1], [4]],
    [
      [2, 1],
      [3, 4],
    ],
    [[1], [3, 1]],
    [[], []],
  ] as const) {
    const sizes = axis.length === 1 && axis[0] === 1 ? [3] : shape;
    const [centre, spread] = [
      numbers(sizes, 3),
      filled(sizes, (place) => Math.abs(at(numbers(sizes, 4), place)) + 0.1),
    ];
    const expected = filled(
      x.shape,
      (place) => (at(x, place) - at({ ...centre, shape }, place)) / Math.sqrt(at({ ...spread, shape }, place)),
    );
    const weights: WeightJson[] = [weight('y/mean', centre), weight('y/variance', spread), ['y/count', [], [7]]];
    await gives(one([3, 4], ['Normalization', { name: 'y', axis }], weights), [x], expected);
  }
  const written = filled(x.shape, (place) => (at(x, place) - (place[2] ?? 0)) / 2);
  await gives(one([3, 4], ['Normalization', { name: 'y', mean: [0, 1, 2, 3], variance: 4 }]), [x], written);
  const array = { class_name: '__numpy__', config: { value: [[[0, 1, 2, 3]]], dtype: 'float32' } };
  await gives(one([3, 4], ['Normalization', { name: 'y', axis: -1, mean: array, variance: [4] }]), [x], written);
});

test('Normalization that is inverted brings the numbers back', async () => {
  const x = numbers([2, 3]);
  const expected = filled(x.shape, (place) => at(x, place) * 3 + (place[1] ?? 0));
  await gives(one([3], ['Normalization', { name: 'y', mean: [0, 1, 2], variance: [9], invert: true }]), [x], expected);
});

for (const [axis, shape, options] of [
  [-1, [3, 2, 6], { isOpen: true }],
  [1, [6, 2, 3], { isOpen: false }],
  [-1, [6], { isOpen: false }],
] as const) {
  for (const groups of [2, 3, -1]) {
    test(`GroupNormalization of ${groups} groups along axis ${axis} of ${shape.length + 1}`, async () => {
      const x = numbers([2, ...shape]);
      const place0 = axis === -1 ? shape.length : axis;
      const size = groups === -1 ? 1 : 6 / groups;
      const [gamma, beta] = [numbers([6], 3), numbers([6], 4)];
      const others = [...x.shape.keys()].slice(1).filter((each) => each !== place0);
      const expected = filled(x.shape, (place) => {
        const channel = place[place0] ?? 0;
        const group = Math.floor(channel / size);
        const values = Array.from({ length: size }, (_, index) => group * size + index).flatMap((each) =>
          across(
            x,
            place.map((index, position) => (position === place0 ? each : index)),
            others,
          ),
        );
        const standard = (at(x, place) - mean(values)) / Math.sqrt(variance(values) + 0.01);
        return standard * at(gamma, [channel]) + at(beta, [channel]);
      });
      const written = options.isOpen ? [null, null, 6] : shape;
      const layer: LayerJson = ['GroupNormalization', { name: 'y', groups, axis, epsilon: 0.01 }];
      // A group of one number is that number less itself.
      if (others.length === 0 && size === 1) return;
      await gives(one(written, layer, [weight('y/gamma', gamma), weight('y/beta', beta)]), [x], expected);
    });
  }
}

test('GroupNormalization along an axis of channels in front has them in front', async () => {
  const x = numbers([1, 2, 3]);
  const expected = filled(x.shape, (place) => {
    const values = across(x, place, [2]);
    return ((at(x, place) - mean(values)) / Math.sqrt(variance(values) + 1e-3)) * ((place[1] ?? 0) + 1);
  });
  const layer: LayerJson = ['GroupNormalization', { name: 'y', groups: 2, axis: 1, center: false }];
  await gives(one([2, 3], layer, [['y/gamma', [2], [1, 2]]]), [x], expected);
});

test('UnitNormalization over two axes', async () => {
  const x = numbers([2, 3, 4]);
  const expected = filled(x.shape, (place) => at(x, place) / Math.hypot(...across(x, place, [1, 2])));
  await gives(one([3, 4], ['UnitNormalization', { name: 'y', axis: [1, -1] }]), [x], expected);
});

test('RMSNormalization', async () => {
  const x = numbers([2, 3, 4]);
  const scale = numbers([4], 3);
  const expected = filled(x.shape, (place) => {
    const squares = across(x, place, [2]).map((value) => value ** 2);
    return (at(x, place) / Math.sqrt(mean(squares) + 1e-6)) * at(scale, [place[2] ?? 0]);
  });
  await gives(one([3, 4], ['RMSNormalization', { name: 'y' }], [weight('y/scale', scale)]), [x], expected);
});

test('Rescaling with a factor and an offset for each channel', async () => {
  const x = numbers([2, 3, 2]);
  const expected = filled(x.shape, (place) => at(x, place) * ((place[2] ?? 0) + 2) - 1);
  await gives(one([3, 2], ['Rescaling', { name: 'y', scale: [2, 3], offset: [-1, -1] }]), [x], expected);
});

test('CategoryEncoding counts by the weights of the call', async () => {
  const artifacts = (count_weights: unknown) =>
    functional(
      [
        ['InputLayer', { name: 'x', batch_input_shape: [null, 3], dtype: 'int32' }, []],
        ['InputLayer', { name: 'w', batch_input_shape: [null, 3] }, []],
        ['CategoryEncoding', { name: 'y', num_tokens: 4, output_mode: 'count' }, [[['x', 0, 0, { count_weights }]]]],
      ],
      [['y', 0, 0]],
    );
  const tokens: Numbers = { shape: [2, 3], values: [3, 0, 3, 1, 1, 1], type: 'int32' };
  const weights: Numbers = { shape: [2, 3], values: [0.5, 2, 4, 1, 2, 3] };
  const expected = { shape: [2, 4], values: [2, 0, 0, 4.5, 0, 6, 0, 0] };
  await gives(artifacts(['w', 0, 0]), [tokens, weights], expected);
  const unweighted = { shape: [2, 4], values: [1, 0, 0, 2, 0, 3, 0, 0] };
  await gives(artifacts(['w', 0, 0]), [tokens, weights], unweighted, { semantics: 'tfjs' });
});

test('CategoryEncoding of several numbers as a row for each, as Keras 3 has it', async () => {
  const x: Numbers = { shape: [2, 2], values: [2, 0, 1, 1.9] };
  const expected = { shape: [2, 2, 3], values: [0, 0, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0] };
  await gives(one([2], ['CategoryEncoding', { name: 'y', num_tokens: 3, output_mode: 'one_hot' }]), [x], expected);
});

for (const className of ['RandomFlip', 'RandomRotation', 'RandomZoom', 'RandomContrast', 'RandomTranslation']) {
  test(`${className} leaves images alone, as float32`, async () => {
    const layers: LayerJson[] = [[className, { name: 'y', factor: 0.5 }]];
    const artifacts = functional(
      [
        ['InputLayer', { name: 'x', batch_input_shape: [null, 2, 2, 1], dtype: 'int32' }, []],
        [className, layers[0]?.[1] ?? {}, [[['x', 0, 0, {}]]]],
      ],
      [['y', 0, 0]],
    );
    const image: Numbers = { shape: [1, 2, 2, 1], values: [1, 2, 3, 255], type: 'int32' };
    const [found] = await runConverted(artifacts, [image]);
    assert.deepEqual([found?.type, found?.values], ['float32', image.values]);
  });
}

test('RandomCrop of images that have its size leaves them alone', async () => {
  const x = numbers([1, 3, 4, 2]);
  await gives(one([3, 4, 2], ['RandomCrop', { name: 'y', height: 3, width: 4 }]), [x], x);
});
