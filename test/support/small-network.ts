import { float, float32Tensor, int, model, node, type OnnxModel, type OnnxGraph, value } from '@atelier/onnx';
import type { StateUpdate } from '@atelier/onnx-training';

export const BATCH = 8;
export const INPUTS = 5;
export const CLASSES = 3;
const UNITS = 6;

/** Dense, perhaps batch normalisation, tanh, dense, mean cross-entropy: large enough to have everything that a step has. */
export interface SmallNetwork {
  /** `x` float32 [batch, 5] and `targets` float32 [batch, 3] in, `loss` out. The batch is open; weights are initializers. */
  forward: OnnxGraph;
  /** `x` in, `logits` out, with the weights before training. */
  inference: OnnxModel;
  parameters: string[];
  kernels: string[];
  updates: StateUpdate[];
}

export function smallNetwork({ normalized = false } = {}): SmallNetwork {
  const weights = [
    float32Tensor('kernel_1', [INPUTS, UNITS], numbers(INPUTS * UNITS, 1)),
    float32Tensor('bias_1', [UNITS], numbers(UNITS, 2)),
    float32Tensor('kernel_2', [UNITS, CLASSES], numbers(UNITS * CLASSES, 3)),
    float32Tensor('bias_2', [CLASSES], numbers(CLASSES, 4)),
  ];
  const scales = [
    float32Tensor('gamma', [UNITS], new Float32Array(UNITS).fill(1)),
    float32Tensor('beta', [UNITS], new Float32Array(UNITS)),
  ];
  const statistics = [
    float32Tensor('mean', [UNITS], new Float32Array(UNITS)),
    float32Tensor('variance', [UNITS], new Float32Array(UNITS).fill(1)),
  ];
  const normalize = (isTraining: boolean) =>
    node(
      'BatchNormalization',
      ['product', 'gamma', 'beta', 'mean', 'variance'],
      isTraining ? ['normalized', 'mean_after', 'variance_after'] : ['normalized'],
      { momentum: float(0.9), training_mode: int(isTraining ? 1 : 0) },
    );
  const network = (isTraining: boolean) => [
    node('Gemm', ['x', 'kernel_1', 'bias_1'], 'product'),
    ...(normalized ? [normalize(isTraining)] : []),
    node('Tanh', [normalized ? 'normalized' : 'product'], 'hidden'),
    node('Gemm', ['hidden', 'kernel_2', 'bias_2'], 'logits'),
  ];
  const x = value('x', 'float32', ['batch', INPUTS]);
  const initializers = [...weights, ...(normalized ? [...scales, ...statistics] : [])];
  return {
    forward: {
      name: 'small',
      nodes: [
        ...network(true),
        node('LogSoftmax', ['logits'], 'log_probabilities'),
        node('Mul', ['log_probabilities', 'targets'], 'agreement'),
        node('ReduceSum', ['agreement'], 'total', { keepdims: int(0) }),
        node('Mul', ['total', 'share'], 'loss'),
      ],
      inputs: [x, value('targets', 'float32', ['batch', CLASSES])],
      outputs: [value('loss', 'float32', [])],
      initializers: [...initializers, float32Tensor('share', [], [-1 / BATCH])],
      values: [],
    },
    inference: model({
      name: 'small',
      nodes: network(false),
      inputs: [x],
      outputs: [value('logits', 'float32', ['batch', CLASSES])],
      initializers,
      values: [],
    }),
    parameters: [...weights, ...(normalized ? scales : [])].map(({ name }) => name),
    kernels: ['kernel_1', 'kernel_2'],
    updates: normalized ? statistics.map(({ name }) => ({ name, updated: `${name}_after` })) : [],
  };
}

/** `steps` batches: x [steps, batch, 5] and one-hot targets [steps, batch, 3]. */
export function drawnBatches(steps: number, seed = 9): { x: Float32Array; targets: Float32Array } {
  const targets = new Float32Array(steps * BATCH * CLASSES);
  for (let row = 0; row < steps * BATCH; row++) targets[row * CLASSES + ((row * 7 + seed) % CLASSES)] = 1;
  return { x: numbers(steps * BATCH * INPUTS, seed), targets };
}

/** The same numbers every time, between -1 and 1. */
export function numbers(count: number, seed: number): Float32Array {
  return Float32Array.from(
    { length: count },
    (_, index) => (Math.sin((seed * 1000 + index) * 12.9898) * 43758.5453) % 1,
  );
}
