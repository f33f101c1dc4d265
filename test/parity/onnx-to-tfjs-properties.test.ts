import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DomainError } from '@atelier/domain';
import { int, ints } from '@atelier/onnx';
import fc from 'fast-check';
import { assertSamePredictions } from '../support/onnx-to-tfjs-parity.ts';
import { TorchExport } from '../support/torch-export.ts';

/** A seed that is written down, so that a failure comes again. */
const settings = { seed: 20_260_131, numRuns: 120 };

const pair = (arbitrary: fc.Arbitrary<number>) => fc.tuple(arbitrary, arbitrary);
const small = (from: number, to: number) => fc.integer({ min: from, max: to });

const windows = fc
  .record({
    size: pair(small(5, 11)),
    kernel: pair(small(1, 4)),
    strides: pair(small(1, 3)),
    begin: pair(small(0, 3)),
    end: pair(small(0, 3)),
    seed: fc.nat(1000),
  })
  // ONNX takes no window that lies in the padding alone, and none that is larger than all.
  .filter(({ size, kernel, begin, end }) =>
    [0, 1].every((axis) => {
      const [length = 0, width = 0] = [size[axis], kernel[axis]];
      return (begin[axis] ?? 0) < width && (end[axis] ?? 0) < width && width <= length;
    }),
  );

describe('any window', () => {
  test('of a convolution, in groups or not, gives what onnxruntime gives', async () => {
    const groupings = fc.constantFrom([1, 3, 4], [2, 4, 6], [3, 3, 6], [4, 4, 4], [1, 1, 2]);
    await fc.assert(
      fc.asyncProperty(
        windows,
        groupings,
        async ({ size, kernel, strides, begin, end, seed }, [groups, inputs, outputs]) => {
          const torch = new TorchExport(seed);
          const weight = torch.parameter('conv.weight', [outputs ?? 1, (inputs ?? 1) / (groups ?? 1), ...kernel]);
          const y = torch.op('Conv', 'conv', ['x', weight, torch.parameter('conv.bias', [outputs ?? 1])], {
            ...{
              kernel_shape: ints(kernel),
              strides: ints(strides),
              pads: ints([...begin, ...end]),
              group: int(groups ?? 1),
            },
          });
          await assertSamePredictions(torch.model({ name: 'x', shape: [inputs ?? 1, ...size] }, y), { seed });
        },
      ),
      settings,
    );
  });

  test('of a convolution with gaps gives what onnxruntime gives', async () => {
    await fc.assert(
      fc.asyncProperty(windows, pair(small(1, 3)), async ({ size, kernel, begin, end, seed }, dilations) => {
        const extents = [0, 1].map((axis) => ((kernel[axis] ?? 1) - 1) * (dilations[axis] ?? 1) + 1);
        fc.pre(extents.every((extent, axis) => extent <= (size[axis] ?? 0)));
        const torch = new TorchExport(seed);
        const y = torch.op('Conv', 'conv', ['x', torch.parameter('conv.weight', [3, 2, ...kernel])], {
          ...{ kernel_shape: ints(kernel), dilations: ints(dilations), pads: ints([...begin, ...end]) },
        });
        await assertSamePredictions(torch.model({ name: 'x', shape: [2, ...size] }, y), { seed });
      }),
      settings,
    );
  });

  test('of a MaxPool gives what onnxruntime gives; behind a ReLU none is refused', async () => {
    await fc.assert(
      fc.asyncProperty(windows, fc.boolean(), fc.boolean(), async (window, isCeiling, isPositive) => {
        const { size, kernel, strides, begin, end, seed } = window;
        const torch = new TorchExport(seed);
        const x = isPositive ? torch.op('Relu', 'relu', ['x']) : 'x';
        const y = torch.op('MaxPool', 'pool', [x], {
          ...{ kernel_shape: ints(kernel), strides: ints(strides), pads: ints([...begin, ...end]) },
          ceil_mode: int(isCeiling ? 1 : 0),
        });
        const model = torch.model({ name: 'x', shape: [2, ...size] }, y);
        await sameOrRefused(model, seed, !isPositive && begin.concat(end).some((cells) => cells > 0));
      }),
      settings,
    );
  });

  test('of an AveragePool gives what onnxruntime gives; without ceil_mode none that counts its pads is refused', async () => {
    await fc.assert(
      fc.asyncProperty(windows, fc.boolean(), fc.boolean(), async (window, isCeiling, countsPads) => {
        const { size, kernel, strides, begin, end, seed } = window;
        const torch = new TorchExport(seed);
        const y = torch.op('AveragePool', 'pool', ['x'], {
          ...{ kernel_shape: ints(kernel), strides: ints(strides), pads: ints([...begin, ...end]) },
          ...{ ceil_mode: int(isCeiling ? 1 : 0), count_include_pad: int(countsPads ? 1 : 0) },
        });
        const model = torch.model({ name: 'x', shape: [2, ...size] }, y, 19);
        await sameOrRefused(model, seed, isCeiling || !countsPads);
      }),
      settings,
    );
  });

  test('over one axis gives what onnxruntime gives', async () => {
    await fc.assert(
      fc.asyncProperty(windows, fc.constantFrom(1, 3), async ({ size, kernel, strides, begin, end, seed }, groups) => {
        const torch = new TorchExport(seed);
        const weight = torch.parameter('conv.weight', [6, 3 / groups, kernel[0]]);
        const y = torch.op('Conv', 'conv', ['x', weight], {
          ...{
            kernel_shape: ints([kernel[0]]),
            strides: ints([strides[0]]),
            pads: ints([begin[0], end[0]]),
            group: int(groups),
          },
        });
        await assertSamePredictions(torch.model({ name: 'x', shape: [3, size[0]] }, y), { seed });
      }),
      settings,
    );
  });
});

test('BatchNormalization of any rank and epsilon gives what onnxruntime gives', async () => {
  const shapes = fc.array(small(1, 6), { minLength: 1, maxLength: 3 });
  const epsilons = fc.constantFrom(1e-7, 1e-5, 1e-3, 0.1, 0.037);
  await fc.assert(
    fc.asyncProperty(shapes, epsilons, fc.nat(1000), async (shape, epsilon, seed) => {
      const torch = new TorchExport(seed);
      const y = torch.batchNorm('bn', 'x', shape[0] ?? 1, epsilon);
      await assertSamePredictions(torch.model({ name: 'x', shape }, y), { seed });
    }),
    settings,
  );
});

test('what is flattened channels first reaches its Gemm in that order, whatever its sizes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(small(1, 4), small(1, 5), small(1, 5)),
      fc.boolean(),
      fc.nat(1000),
      async (shape, isView, seed) => {
        const torch = new TorchExport(seed);
        const features = torch.batchNorm('bn', 'x', shape[0]);
        const flat = isView ? torch.view(features) : torch.op('Flatten', 'flatten', [features], { axis: int(1) });
        const y = torch.linear('fc', torch.op('Relu', 'relu', [flat]), [shape[0] * shape[1] * shape[2], 3]);
        await assertSamePredictions(torch.model({ name: 'x', shape }, torch.op('Tanh', 'tanh', [y])), { seed });
      },
    ),
    settings,
  );
});

/** The same predictions; or, where that may be, a refusal by name. */
async function sameOrRefused(model: Parameters<typeof assertSamePredictions>[0], seed: number, mayBeRefused: boolean) {
  try {
    await assertSamePredictions(model, { seed });
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    assert.ok(mayBeRefused, error.message);
    assert.equal(error.code, 'unsupported-operator');
    assert.match(error.message, /^Node "\/pool\/(Max|Average)Pool"/);
  }
}
