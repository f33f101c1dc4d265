import assert from 'node:assert/strict';
import { test } from 'node:test';
import { convert, type ConvertOptions } from '@atelier/tfjs-to-onnx';
import fc from 'fast-check';
import { across, at, filled, mean, numbers } from '../support/plain-arrays.ts';
import { plainConvolution, plainTranspose, plainTransposedConvolution, samePlan } from '../support/plain-windows.ts';
import { type Numbers, runConverted } from '../support/run-converted.ts';
import { functional, type LayerJson, sequential, type WeightJson } from '../unit/tfjs-to-onnx/artifacts.ts';

type Layer = readonly [className: string, config: Readonly<Record<string, unknown>>];

/**
 * A layer named y, in a file of Keras: what TensorFlow.js cannot load, ignores or computes otherwise. The expected numbers are
 * computed from Keras's documentation, in plain loops.
 */
async function gives(
  x: Numbers,
  [className, config]: Layer,
  expected: Numbers,
  weights: readonly WeightJson[] = [],
  options: ConvertOptions = {},
) {
  const layer: LayerJson = [className, { ...config, name: 'y' }];
  const [found] = await runConverted(sequential(x.shape.slice(1), [layer], weights), [x], options);
  close(found, expected);
}

function close(found: Numbers | undefined, expected: Numbers) {
  assert.deepEqual(found?.shape, expected.shape);
  const largest = Math.max(...expected.values.map(Math.abs));
  assert.ok(largest > 0);
  found.values.forEach((value, index) => {
    const difference = Math.abs(value - (expected.values[index] ?? NaN));
    assert.ok(difference <= 1e-5 * largest, `element ${index}: ${value}, by hand ${expected.values[index]}`);
  });
}

const weight = (part: string, { shape, values }: Numbers): WeightJson => [`y/${part}`, shape, values];
const NO_BIAS = { use_bias: false };

async function forAll<T>(arbitrary: fc.Arbitrary<T>, numRuns: number, check: (drawn: T) => Promise<unknown>) {
  const property = fc.asyncProperty(arbitrary, async (drawn) => {
    await check(drawn);
  });
  await fc.assert(property, { seed: 1, numRuns, includeErrorInReport: true });
}

const digit = (min: number, max: number) => fc.integer({ min, max });
const digits = (count: number, min: number, max: number) =>
  fc.array(digit(min, max), { minLength: count, maxLength: count });

test('Conv1D that sees only the past', async () => {
  const drawn = fc.record({ size: digit(1, 4), stride: digit(1, 3), dilation: digit(1, 3), length: digit(3, 9) });
  await forAll(drawn, 30, async ({ size, stride, dilation, length }) => {
    const [x, kernel] = [numbers([2, length, 3]), numbers([size, 3, 4], 2)];
    const window = { strides: [stride], dilations: [dilation], before: [(size - 1) * dilation] };
    const expected = plainConvolution(x, kernel, [Math.floor((length - 1) / stride) + 1], window);
    const config = { ...NO_BIAS, filters: 4, kernel_size: [size], strides: [stride], dilation_rate: [dilation] };
    await gives(x, ['Conv1D', { ...config, padding: 'causal' }], expected, [weight('kernel', kernel)]);
  });
});

for (const axes of [1, 2, 3]) {
  test(`Conv${axes}D in groups`, async () => {
    const space = [5, 4, 3].slice(0, axes);
    const [x, kernel] = [numbers([2, ...space, 6]), numbers([...space.map(() => 2), 2, 9], 2)];
    const ones = space.map(() => 1);
    const window = { strides: ones, dilations: ones, before: ones.map(() => 0) };
    const expected = plainConvolution(
      x,
      kernel,
      space.map((size) => size - 1),
      window,
      3,
    );
    const config = { ...NO_BIAS, filters: 9, kernel_size: 2, groups: 3 };
    await gives(x, [`Conv${axes}D`, config], expected, [weight('kernel', kernel)]);
  });

  test(`Conv${axes}D whose strides are larger than its window, padding same`, async () => {
    const space = [7, 6, 8].slice(0, axes);
    const [x, kernel] = [numbers([1, ...space, 2]), numbers([...space.map(() => 2), 2, 2], 2)];
    const plans = space.map((size) => samePlan(size, 2, 3));
    const window = {
      strides: space.map(() => 3),
      dilations: space.map(() => 1),
      before: plans.map(({ before }) => before),
    };
    const expected = plainConvolution(
      x,
      kernel,
      plans.map(({ count }) => count),
      window,
    );
    const config = { ...NO_BIAS, filters: 2, kernel_size: 2, strides: 3, padding: 'same' };
    await gives(x, [`Conv${axes}D`, config], expected, [weight('kernel', kernel)]);
  });
}

/** A kernel of a layer that takes each channel by itself, as one of groups: [...window, 1, channels · multiplier]. */
function grouped(kernel: Numbers): Numbers {
  const [channels = 1, multiplier = 1] = kernel.shape.slice(-2);
  return { shape: [...kernel.shape.slice(0, -2), 1, channels * multiplier], values: kernel.values };
}

for (const axes of [1, 2]) {
  test(`DepthwiseConv${axes}D with gaps, its kernel named as Keras 2 and as Keras 3 name it`, async () => {
    const drawn = fc.record({
      dilation: digits(axes, 1, 3),
      multiplier: digit(1, 2),
      isSame: fc.boolean(),
      isKeras3: fc.boolean(),
    });
    await forAll(drawn, 30, async ({ dilation, multiplier, isSame, isKeras3 }) => {
      const space = [8, 7].slice(0, axes);
      const [x, kernel] = [numbers([2, ...space, 2]), numbers([...space.map(() => 3), 2, multiplier], 2)];
      const extents = dilation.map((each) => 2 * each + 1);
      const plans = space.map((size, axis) =>
        isSame ? samePlan(size, extents[axis] ?? 1, 1) : { before: 0, count: size - (extents[axis] ?? 1) + 1 },
      );
      const window = { strides: space.map(() => 1), dilations: dilation, before: plans.map(({ before }) => before) };
      const expected = plainConvolution(
        x,
        grouped(kernel),
        plans.map(({ count }) => count),
        window,
        2,
      );
      const config = {
        ...NO_BIAS,
        kernel_size: 3,
        depth_multiplier: multiplier,
        dilation_rate: dilation,
        padding: isSame ? 'same' : 'valid',
      };
      await gives(x, [`DepthwiseConv${axes}D`, config], expected, [
        weight(isKeras3 ? 'kernel' : 'depthwise_kernel', kernel),
      ]);
    });
  });
}

test('SeparableConv1D', async () => {
  const drawn = fc.record({
    stride: digit(1, 2),
    multiplier: digit(1, 3),
    padding: fc.constantFrom('same', 'valid', 'causal'),
  });
  await forAll(drawn, 20, async ({ stride, multiplier, padding }) => {
    const x = numbers([2, 7, 2]);
    const [depthwise, pointwise, bias] = [
      numbers([3, 2, multiplier], 2),
      numbers([1, 2 * multiplier, 4], 3),
      numbers([4], 4),
    ];
    const count = padding === 'valid' ? Math.ceil(5 / stride) : Math.ceil(7 / stride);
    const before = { same: samePlan(7, 3, stride).before, valid: 0, causal: 2 }[padding] ?? 0;
    const deep = plainConvolution(
      x,
      grouped(depthwise),
      [count],
      { strides: [stride], dilations: [1], before: [before] },
      2,
    );
    const mixed = plainConvolution(deep, pointwise, [count], { strides: [1], dilations: [1], before: [0] });
    const expected = filled(mixed.shape, (place) => Math.tanh(at(mixed, place) + at(bias, place.slice(-1))));
    const config = {
      filters: 4,
      kernel_size: 3,
      strides: stride,
      depth_multiplier: multiplier,
      padding,
      activation: 'tanh',
    };
    const weights = [
      weight('depthwise_kernel', depthwise),
      weight('pointwise_kernel', pointwise),
      weight('bias', bias),
    ];
    await gives(x, ['SeparableConv1D', config], expected, weights);
  });
});

test('SeparableConv2D with its channels first has its bias and its softmax where Keras has them', async () => {
  const x = numbers([2, 3, 4, 5]);
  const [depthwise, pointwise, bias] = [numbers([2, 2, 3, 1], 2), numbers([1, 1, 3, 3], 3), numbers([3], 4)];
  const flat = { strides: [1, 1], dilations: [1, 1], before: [0, 0] };
  const deep = plainConvolution(plainTranspose(x, [0, 2, 3, 1]), grouped(depthwise), [3, 4], flat, 3);
  const mixed = plainTranspose(plainConvolution(deep, pointwise, [3, 4], flat), [0, 3, 1, 2]);
  const biased = filled(mixed.shape, (place) => at(mixed, place) + at(bias, place.slice(1, 2)));
  const expected = filled(biased.shape, (place) => {
    const sum = across(biased, place, [3]).reduce((total, each) => total + Math.exp(each), 0);
    return Math.exp(at(biased, place)) / sum;
  });
  const config = { filters: 3, kernel_size: 2, data_format: 'channels_first', activation: 'softmax' };
  const weights = [weight('depthwise_kernel', depthwise), weight('pointwise_kernel', pointwise), weight('bias', bias)];
  await gives(x, ['SeparableConv2D', config], expected, weights);
});

for (const axes of [1, 2, 3]) {
  test(`Conv${axes}DTranspose with gaps, output padding and any stride`, async () => {
    const drawn = fc.record({
      size: digits(axes, 1, 4),
      steps: fc.oneof(
        fc.record({ strides: digits(axes, 1, 3), dilation: fc.constant(new Array<number>(axes).fill(1)) }),
        fc.record({ strides: fc.constant(new Array<number>(axes).fill(1)), dilation: digits(axes, 1, 2) }),
      ),
      added: fc.option(digit(0, 2)),
      padding: fc.constantFrom('same', 'valid'),
    });
    await forAll(drawn, axes === 3 ? 30 : 60, async ({ size, steps: { strides, dilation }, added, padding }) => {
      const space = [4, 3, 2].slice(0, axes);
      const outputPadding = added === null ? null : strides.map((stride) => Math.min(added, stride - 1));
      // deconv_output_length, and then the padding that a convolution of the result would have.
      const plans = space.map((length, axis) => {
        const [stride = 1, extent = 1] = [strides[axis], ((size[axis] ?? 1) - 1) * (dilation[axis] ?? 1) + 1];
        const more = outputPadding?.[axis];
        if (padding === 'valid') {
          return {
            before: 0,
            count:
              more === undefined
                ? length * stride + Math.max(extent - stride, 0)
                : (length - 1) * stride + extent + more,
          };
        }
        const count =
          more === undefined ? length * stride : (length - 1) * stride + extent - 2 * Math.floor(extent / 2) + more;
        return { count, before: Math.floor(Math.max((length - 1) * stride + extent - count, 0) / 2) };
      });
      const [x, kernel, bias] = [numbers([2, ...space, 2]), numbers([...size, 3, 2], 2), numbers([3], 3)];
      const window = { strides, dilations: dilation, before: plans.map(({ before }) => before) };
      const sums = plainTransposedConvolution(
        x,
        kernel,
        plans.map(({ count }) => count),
        window,
      );
      const expected = filled(sums.shape, (place) => at(sums, place) + at(bias, place.slice(-1)));
      const config = {
        filters: 3,
        kernel_size: size,
        strides,
        dilation_rate: dilation,
        output_padding: outputPadding,
        padding,
      };
      await gives(x, [`Conv${axes}DTranspose`, config], expected, [weight('kernel', kernel), weight('bias', bias)]);
    });
  });
}

test('Conv1D and pools of one dimension with their channels first', async () => {
  const x = numbers([2, 3, 6]);
  const last = plainTranspose(x, [0, 2, 1]);
  const kernel = numbers([2, 3, 4], 2);
  const flat = { strides: [1], dilations: [1], before: [0] };
  const convolved = plainTranspose(plainConvolution(last, kernel, [5], flat), [0, 2, 1]);
  const data_format = 'channels_first';
  await gives(x, ['Conv1D', { ...NO_BIAS, filters: 4, kernel_size: 2, data_format }], convolved, [
    weight('kernel', kernel),
  ]);
  const pooled = filled([2, 3, 3], ([batch = 0, channel = 0, step = 0]) =>
    Math.max(at(x, [batch, channel, 2 * step]), at(x, [batch, channel, 2 * step + 1])),
  );
  await gives(x, ['MaxPooling1D', { data_format }], pooled);
  const means = filled([2, 3], ([batch = 0, channel = 0]) => mean(across(x, [batch, channel, 0], [2])));
  await gives(x, ['GlobalAveragePooling1D', { data_format }], means);
});

for (const axes of [1, 2, 3]) {
  for (const data_format of ['channels_last', 'channels_first']) {
    test(`global pools over ${axes} axes that keep them, ${data_format}`, async () => {
      const x = numbers([2, ...[3, 4, 5, 2].slice(0, axes + 1)]);
      const space = Array.from({ length: axes }, (_, axis) => axis + (data_format === 'channels_first' ? 2 : 1));
      const shape = x.shape.map((size, axis) => (space.includes(axis) ? 1 : size));
      for (const [kind, found] of [
        ['Max', (all: number[]) => Math.max(...all)],
        ['Average', mean],
      ] as const) {
        const kept = filled(shape, (place) => found(across(x, place, space)));
        const dropped = { shape: shape.filter((_, axis) => !space.includes(axis)), values: kept.values };
        const className = `Global${kind}Pooling${axes}D`;
        await gives(x, [className, { data_format, keepdims: true }], kept, [], { opset: 18 });
        await gives(x, [className, { data_format }], dropped);
      }
    });
  }

  test(`zeros around, elements off, and elements repeated along ${axes} axes`, async () => {
    const x = numbers([2, ...[3, 4, 5].slice(0, axes), 2]);
    const inner = (place: readonly number[]) => place.slice(1, -1);
    const grown = (by: number) => x.shape.map((size, axis) => (axis === 0 || axis === axes + 1 ? size : size + by));
    const pair = axes === 1 ? [2, 1] : Array.from({ length: axes }, () => [2, 1]);
    const padded = filled(grown(3), (place) => {
      const from = inner(place).map((index) => index - 2);
      const isInside = from.every((index, axis) => index >= 0 && index < (x.shape[axis + 1] ?? 0));
      return isInside ? at(x, [place[0] ?? 0, ...from, place.at(-1) ?? 0]) : 0;
    });
    await gives(x, [`ZeroPadding${axes}D`, { padding: pair }], padded);
    const ends = axes === 1 ? [1, 0] : Array.from({ length: axes }, () => [1, 0]);
    const cropped = filled(grown(-1), (place) =>
      at(x, [place[0] ?? 0, ...inner(place).map((index) => index + 1), place.at(-1) ?? 0]),
    );
    await gives(x, [`Cropping${axes}D`, { cropping: ends }], cropped);
    const repeated = filled(
      x.shape.map((size, axis) => (axis === 0 || axis === axes + 1 ? size : size * 3)),
      (place) => at(x, [place[0] ?? 0, ...inner(place).map((index) => Math.floor(index / 3)), place.at(-1) ?? 0]),
    );
    await gives(x, [`UpSampling${axes}D`, { size: axes === 1 ? 3 : Array.from({ length: axes }, () => 3) }], repeated);
  });
}

test('zeros around, as one number and as one for each axis', async () => {
  const x = numbers([1, 2, 3, 2]);
  for (const [padding, top, left] of [
    [2, 2, 2],
    [[1, 2], 1, 2],
  ] as const) {
    const expected = filled([1, 2 + 2 * top, 3 + 2 * left, 2], ([image = 0, y = 0, w = 0, channel = 0]) => {
      const isInside = y >= top && y < top + 2 && w >= left && w < left + 3;
      return isInside ? at(x, [image, y - top, w - left, channel]) : 0;
    });
    await gives(x, ['ZeroPadding2D', { padding }], expected);
  }
});

/** `tf.image.resize` with half-pixel centres along two axes of [batch, height, width, channels]. */
function resized(x: Numbers, height: number, width: number, method: 'bilinear' | 'nearest'): Numbers {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
  const inside = (index: number, size: number) => Math.min(Math.max(index, 0), size - 1);
  return filled([batch, height, width, channels], ([image = 0, y = 0, w = 0, channel = 0]) => {
    const [v, u] = [((y + 0.5) * rows) / height, ((w + 0.5) * columns) / width];
    if (method === 'nearest') return at(x, [image, Math.floor(v), Math.floor(u), channel]);
    const [top, left] = [Math.floor(v - 0.5), Math.floor(u - 0.5)];
    const blend = (row: number) => {
      const fraction = u - 0.5 - left;
      const [a, b] = [left, left + 1].map((column) =>
        at(x, [image, inside(row, rows), inside(column, columns), channel]),
      );
      return (a ?? 0) * (1 - fraction) + (b ?? 0) * fraction;
    };
    const fraction = v - 0.5 - top;
    return blend(top) * (1 - fraction) + blend(top + 1) * fraction;
  });
}

test('UpSampling2D and Resizing blend between the centres of pixels', async () => {
  await forAll(
    fc.tuple(digits(2, 1, 5), digits(2, 1, 3), digits(2, 1, 8)),
    30,
    async ([space, size, [height = 1, width = 1]]) => {
      const x = numbers([2, ...space, 2]);
      const [rows = 1, columns = 1] = space;
      const larger = resized(x, rows * (size[0] ?? 1), columns * (size[1] ?? 1), 'bilinear');
      await gives(x, ['UpSampling2D', { size, interpolation: 'bilinear' }], larger);
      for (const interpolation of ['bilinear', 'nearest'] as const) {
        await gives(x, ['Resizing', { height, width, interpolation }], resized(x, height, width, interpolation));
      }
    },
  );
});

/** A part of images, in the middle. */
function middle(x: Numbers, height: number, width: number): Numbers {
  const [batch = 1, rows = 1, columns = 1, channels = 1] = x.shape;
  const [top, left] = [Math.floor((rows - height) / 2), Math.floor((columns - width) / 2)];
  return filled([batch, height, width, channels], ([image = 0, y = 0, w = 0, channel = 0]) =>
    at(x, [image, y + top, w + left, channel]),
  );
}

test('Resizing that keeps the ratio of the images, and CenterCrop of larger and of smaller ones', async () => {
  const x = numbers([2, 6, 9, 2]);
  await gives(x, ['CenterCrop', { height: 3, width: 4 }], middle(x, 3, 4));
  // 6 rows and 9 columns: the largest part with the ratio 3 : 2 has 6 rows and 4 columns, with 8 : 9 it has 6 and 6.
  await gives(
    x,
    ['Resizing', { height: 3, width: 2, crop_to_aspect_ratio: true }],
    resized(middle(x, 6, 4), 3, 2, 'bilinear'),
  );
  await gives(x, ['CenterCrop', { height: 8, width: 9 }], resized(middle(x, 6, 6), 8, 9, 'bilinear'));
  const first = plainTranspose(x, [0, 3, 1, 2]);
  const cropped = plainTranspose(middle(x, 3, 4), [0, 3, 1, 2]);
  await gives(first, ['CenterCrop', { height: 3, width: 4, data_format: 'channels_first' }], cropped);
});

/** The mean of three steps, and a mask of those that count. */
const meanOfSteps = (semantics: 'tfjs' | 'keras') =>
  runConverted(
    functional(
      [
        ['InputLayer', { name: 'x', batch_input_shape: [null, 3, 1], dtype: 'float32' }, []],
        ['InputLayer', { name: 'mask', batch_input_shape: [null, 3], dtype: 'bool' }, []],
        ['GlobalAveragePooling1D', { name: 'y' }, [[['x', 0, 0, { mask: ['mask', 0, 0] }]]]],
      ],
      [['y', 0, 0]],
    ),
    [
      { shape: [2, 3, 1], values: [4, 7, 1, 1, 5, 0] },
      { shape: [2, 3], values: [1, 0, 0, 1, 1, 0], type: 'bool' },
    ],
    { semantics },
  );

test('the mean of a sequence leaves masked steps out in files of Keras, and not where TensorFlow.js is followed', async () => {
  close((await meanOfSteps('keras'))[0], { shape: [2, 1], values: [4, 3] });
  close((await meanOfSteps('tfjs'))[0], { shape: [2, 1], values: [4, 2] });
});

const told: [title: string, layer: Layer, weights: WeightJson[], warning: RegExp][] = [
  [
    'groups',
    ['Conv2D', { filters: 2, kernel_size: 1, groups: 2 }],
    [
      ['y/kernel', [1, 1, 1, 2]],
      ['y/bias', [2]],
    ],
    /follows groups 2 of a Conv2D/,
  ],
  [
    'gaps',
    ['DepthwiseConv2D', { kernel_size: 1, dilation_rate: 2 }],
    [
      ['y/depthwise_kernel', [1, 1, 2, 1]],
      ['y/bias', [2]],
    ],
    /follows dilation_rate \[2,2\] of a DepthwiseConv2D/,
  ],
  [
    'output padding',
    ['Conv2DTranspose', { filters: 2, kernel_size: 1, output_padding: 0 }],
    [
      ['y/kernel', [1, 1, 2, 2]],
      ['y/bias', [2]],
    ],
    /follows output_padding \[0,0\] of a Conv2DTranspose/,
  ],
  ['kept axes', ['GlobalMaxPooling2D', { keepdims: true }], [], /follows keepdims true of a GlobalMaxPooling2D/],
  [
    'half-pixel centres',
    ['UpSampling2D', { interpolation: 'bilinear' }],
    [],
    /computes what Keras does; TensorFlow.js blends as if/,
  ],
  ['strides beyond a window of three axes', ['MaxPooling2D', { pool_size: 1, strides: 2, padding: 'same' }], [], /^$/],
];

for (const [title, [className, config], weights, warning] of told) {
  test(`whoever does not choose is told of what TensorFlow.js ignores: ${title}`, () => {
    const artifacts = sequential([4, 4, 2], [[className, { ...config, name: 'y' }]], weights);
    assert.match(convert(artifacts).summary.warnings.join(), warning);
    assert.deepEqual(convert(artifacts, { semantics: 'keras' }).summary.warnings, []);
  });
}
