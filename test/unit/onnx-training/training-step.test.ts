import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { float32Tensor, int, model, node, type OnnxGraph, value } from '@atelier/onnx';
import {
  initialState,
  LEARNING_RATE,
  namedState,
  type NamedValues,
  nextState,
  type OptimizerChoice,
  trainingLoop,
  type TrainingOptions,
  type TrainingStep,
  trainingStep,
  updatedName,
} from '@atelier/onnx-training';
import { BATCH, smallNetwork } from '../../support/small-network.ts';
import { runOnce } from '../../support/training-runs.ts';

const network = smallNetwork({ normalized: true });
const options: TrainingOptions = {
  loss: 'loss',
  parameters: network.parameters,
  updates: network.updates,
  sizes: { batch: BATCH },
  optimizer: { kind: 'adam' },
};

/** loss = Σ w·x of a parameter w and a batch x, so that the gradient by w is x. */
function linear(type: 'float32' | 'float64' = 'float32'): OnnxGraph {
  return {
    name: 'linear',
    nodes: [node('Mul', ['w', 'x'], 'product'), node('ReduceSum', ['product'], 'loss', { keepdims: int(0) })],
    inputs: [value('x', type, [2]), value('w', type, [2])],
    outputs: [],
    initializers: [],
    values: [],
  };
}

/** Steps of rate 1 in one loop, a pair of numbers for each; the state begins as the graph has it, or as given. */
async function inLoop(
  step: TrainingStep,
  x: readonly number[] | null,
  given: NamedValues = {},
): Promise<Record<string, Float32Array>> {
  const count = x === null ? 2 : x.length / 2;
  const shape = step.graph.inputs.find(({ name }) => name === 'x')?.shape?.map(Number) ?? [];
  return runOnce(trainingLoop(step), {
    ...(x === null ? {} : { x: [x, [count, ...shape]] }),
    learning_rates: [new Array<number>(count).fill(1), [count]],
    ...initialState(step, (data, dimensions) => [[...data], dimensions] as const, given),
  });
}

/** Where Adam at rate 1 brings a weight from 0 (arXiv 1412.6980, algorithm 1), in float64. */
function adamByDefinition(
  gradients: readonly number[],
  { beta1, beta2, epsilon }: { beta1: number; beta2: number; epsilon: number },
): number {
  let [weight, first, second] = [0, 0, 0];
  for (const [before, gradient] of gradients.entries()) {
    first = beta1 * first + (1 - beta1) * gradient;
    second = beta2 * second + (1 - beta2) * gradient ** 2;
    const corrected = Math.sqrt(second / (1 - beta2 ** (before + 1)));
    weight -= first / (1 - beta1 ** (before + 1)) / (corrected + epsilon);
  }
  return weight;
}

describe('a training step', () => {
  test("names its state after the caller's parameters, and its new state after the old one", () => {
    const step = trainingStep(network.forward, { ...options, packBelow: 0, averageDecay: 0.9 });
    const names = step.state.map(({ name }) => name);
    assert.deepEqual(names.slice(0, 9), [
      'step',
      'kernel_1',
      'first-moment-sum/kernel_1',
      'second-moment-sum/kernel_1',
      'average/kernel_1',
      'bias_1',
      'first-moment-sum/bias_1',
      'second-moment-sum/bias_1',
      'average/bias_1',
    ]);
    assert.deepEqual(names.slice(-2), ['mean', 'variance']);
    const outputs = step.graph.outputs.map(({ name }) => name);
    assert.deepEqual(outputs, ['loss', ...names.map(updatedName)]);
    assert.deepEqual(step.batch, ['x', 'targets']);
    const inputs = step.graph.inputs.map(({ name }) => name);
    assert.deepEqual(inputs.sort(), [...step.batch, LEARNING_RATE, ...names].sort());
  });

  test('packs small parameters into vectors, those that decay apart, and says what is in them', () => {
    const weightDecay = { kind: 'decoupled', rate: 0.1, parameters: network.kernels } as const;
    const { state } = trainingStep(network.forward, {
      ...options,
      optimizer: { kind: 'sgd' },
      weightDecay,
      packBelow: 18,
    });
    assert.deepEqual(
      state.map(({ name, parts }) => [name, parts?.map((part) => part.name)]),
      [
        ['step', undefined],
        ['kernel_1', undefined],
        ['kernel_2', undefined],
        ['packed/free', ['bias_1', 'bias_2', 'gamma', 'beta']],
        ['mean', undefined],
        ['variance', undefined],
      ],
    );
    assert.deepEqual(state[3]?.shape, [21]);
  });

  test('scales gradients down together to the norm that clipping allows, and leaves shorter ones alone', async () => {
    const clipped = { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' }, clipGlobalNorm: 1 } as const;
    const after = async (x: number[]) => {
      const step = trainingStep(linear(), clipped);
      const results = await runOnce(model(step.graph), {
        x: [x, [2]],
        [LEARNING_RATE]: [[1], []],
        ...initialState(step, (data, shape) => [[...data], shape] as const, { w: [0, 0] }),
      });
      return [...(results['w_new'] ?? [])];
    };
    assert.deepEqual(await after([-3, 4]), [Math.fround(0.6), Math.fround(-0.8)]);
    assert.deepEqual(await after([0.5, 0.25]), [-0.5, -0.25]);
  });

  test('moves averages towards the weights, quickly at first and never faster than the decay says', async () => {
    const averaged = { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' }, averageDecay: 0.15 } as const;
    const step = trainingStep(linear(), averaged);
    let state = initialState(step, (data, shape) => [[...data] as number[], shape] as const, { w: [0, 1] });
    assert.deepEqual(state['average/w'], [[0, 1], [2]]);
    let average = 0;
    for (const [before, decay] of [0.1, 0.15, 0.15].entries()) {
      const results = await runOnce(model(step.graph), { x: [[-1, 0], [2]], [LEARNING_RATE]: [[1], []], ...state });
      const tensors = Object.entries(results).map(([name, data]) => [
        name,
        [[...data], name === 'step_new' ? [] : [2]],
      ]);
      state = nextState(step, Object.fromEntries(tensors) as typeof state);
      average += (1 - decay) * (before + 1 - average);
      const [found = NaN, still] = state['average/w']?.[0] ?? [];
      assert.ok(Math.abs(found - average) < 1e-6 && still === 1, `${found} is not ${average}`);
    }
  });

  test('gives a parameter that the loss does not depend on a gradient of zeros', async () => {
    const forward = { ...linear(), initializers: [float32Tensor('idle', [3], [1, 2, 3])] };
    const step = trainingStep(forward, {
      loss: 'loss',
      parameters: ['w', 'idle'],
      optimizer: { kind: 'adam' },
      packBelow: 0,
    });
    const results = await runOnce(model(step.graph), {
      x: [[1, 1], [2]],
      [LEARNING_RATE]: [[1], []],
      ...initialState(step, (data, shape) => [[...data], shape] as const, { w: [0, 0] }),
    });
    assert.deepEqual(results['idle_new'], Float32Array.of(1, 2, 3));
  });

  test('takes a setting that is undefined for its default', () => {
    const of = (optimizer: OptimizerChoice) => trainingStep(network.forward, { ...options, optimizer }).graph;
    const open = { kind: 'adam', beta1: undefined, epsilon: undefined } as unknown as OptimizerChoice;
    assert.deepEqual(of(open), of({ kind: 'adam' }));
  });

  test('is as exact as float32 for an Adam whose means are long, and adds its epsilon to the root', async () => {
    for (const [beta1, beta2, epsilon] of [
      [0.9, 0.999, 0.1],
      [0.99, 0.999999, 0.25],
      [0, 0.9999, 1e-8],
      [0.9, 0, 1e-3],
    ] as const) {
      const settings = { loss: 'loss', parameters: ['w'], optimizer: { kind: 'adam', beta1, beta2, epsilon } } as const;
      const gradients = [1, 0.5, -0.25, 0.125, 2];
      const { w_new: found } = await inLoop(
        trainingStep(linear(), settings),
        gradients.flatMap((g) => [g, -3 * g]),
        {
          w: [0, 0],
        },
      );
      [1, -3].forEach((scale, index) => {
        const expected = adamByDefinition(
          gradients.map((g) => scale * g),
          { beta1: Math.fround(beta1), beta2: Math.fround(beta2), epsilon: Math.fround(epsilon) },
        );
        const error = Math.abs((found?.[index] ?? NaN) / expected - 1);
        assert.ok(error < 2e-6, `beta2 ${beta2}: off by ${error} of ${expected}`);
      });
    }
  });

  test('keeps apart states that one value becomes, the loss among them', async () => {
    const { inputs, ...rest } = linear();
    const more = [
      value('last_loss', 'float32', []),
      ...['first', 'second', 'ahead'].map((name) => value(name, 'float32', [2])),
    ];
    const step = trainingStep(
      { ...rest, inputs: [...inputs, ...more] },
      {
        loss: 'loss',
        parameters: ['w'],
        optimizer: { kind: 'sgd' },
        updates: [
          { name: 'last_loss', updated: 'loss' },
          { name: 'first', updated: 'product' },
          { name: 'second', updated: 'product' },
          { name: 'ahead', updated: 'w_new' },
        ],
      },
    );
    const begin = { w: [1, 2], last_loss: [0], first: [0, 0], second: [0, 0], ahead: [0, 0] };
    const single = await runOnce(model(step.graph), {
      x: [[1, 1], [2]],
      [LEARNING_RATE]: [[1], []],
      ...initialState(step, (data, shape) => [[...data], shape] as const, begin),
    });
    const looped = await inLoop(step, [1, 1, 1, 2], begin);
    const vectors = (results: Record<string, Float32Array>) =>
      ['last_loss_new', 'first_new', 'second_new', 'ahead_new', 'w_new'].map((name) => [...(results[name] ?? [])]);
    assert.deepEqual(vectors(single), [[3], [1, 2], [1, 2], [0, 1], [0, 1]]);
    assert.deepEqual(vectors(looped), [[2], [0, 2], [0, 2], [-1, -1], [-1, -1]]);
    assert.deepEqual(looped['losses'], Float32Array.of(3, 2));
  });

  test('may have a parameter for its loss', async () => {
    const step = trainingStep(
      { ...linear(), nodes: [], inputs: [value('w', 'float32', [])] },
      { loss: 'w', parameters: ['w'], optimizer: { kind: 'sgd' } },
    );
    const single = await runOnce(model(step.graph), {
      [LEARNING_RATE]: [[0.5], []],
      ...initialState(step, (data, shape) => [[...data], shape] as const, { w: [3] }),
    });
    assert.deepEqual([single[step.loss], single['w_new']], [Float32Array.of(3), Float32Array.of(2.5)]);
    const looped = await inLoop(step, null, { w: [3] });
    assert.deepEqual([looped['losses'], looped['w_new']], [Float32Array.of(3, 2), Float32Array.of(1)]);
  });

  test("packs beside values of the graph's own that have the names of what packs", async () => {
    const taken = ['kernel/shape', 'kernel/flat', 'packed/free', 'packed/free/sizes'];
    const forward: OnnxGraph = {
      name: 'taken',
      nodes: [
        node('MatMul', ['x', 'kernel'], 'product'),
        node('Sum', ['product', 'bias', ...taken], 'sum'),
        node('ReduceSum', ['sum'], 'loss', { keepdims: int(0) }),
      ],
      inputs: [value('x', 'float32', [1, 2])],
      outputs: [],
      initializers: [
        float32Tensor('kernel', [2, 1], [1, 2]),
        float32Tensor('bias', [1], [3]),
        ...taken.map((name, index) => float32Tensor(name, [], [10 ** (index + 1)])),
      ],
      values: [],
    };
    const step = trainingStep(forward, { loss: 'loss', parameters: ['kernel', 'bias'], optimizer: { kind: 'sgd' } });
    assert.deepEqual(
      step.state[1]?.parts?.map(({ name }) => name),
      ['kernel', 'bias'],
    );
    const { losses } = await inLoop(step, [1, 1, 1, 1]);
    assert.deepEqual(losses, Float32Array.of(11116, 11113)); // 1 + 2 + 3 and the four; each weight moved by its input, 1
  });

  test('leaves out nodes that neither the loss nor an update needs, whatever they are', () => {
    const { nodes, ...rest } = linear();
    const forward = {
      ...rest,
      nodes: [...nodes, node('TopK', ['x', 'w'], ['values', 'places'])],
      outputs: [value('values', 'float32', [1])],
    };
    const { graph } = trainingStep(forward, { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' } });
    assert.ok(graph.nodes.every(({ opType }) => opType !== 'TopK'));
  });

  const step =
    (change: Partial<TrainingOptions>, forward = network.forward) =>
    () =>
      trainingStep(forward, { ...options, ...change });
  const refusals: Record<string, [build: () => unknown, message: RegExp]> = {
    'a loss that is no scalar': [
      step({ loss: 'logits' }),
      /^The loss "logits" has shape \[8,3\]; expected a scalar\.$/,
    ],
    'a loss that nothing gives': [step({ loss: 'lost' }), /"lost"/],
    'a parameter that the graph does not have': [
      step({ parameters: ['kernel_1', 'kernel_9'] }),
      /^There is no input or initializer "kernel_9" to train\.$/,
    ],
    'a parameter that is not float32': [
      () => trainingStep(linear('float64'), { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' } }),
      /^Parameter "w" is of float64; expected float32\.$/,
    ],
    'a symbolic dimension without its size': [step({ sizes: {} }), /^Input "x" has an open dimension batch; /],
    'an update of what the graph does not have': [
      step({ updates: [{ name: 'median', updated: 'mean_after' }] }),
      /"median"/,
    ],
    'an update of what the graph computes': [
      step({ updates: [{ name: 'hidden', updated: 'mean_after' }] }),
      /^There is no input or initializer "hidden" to be a state\.$/,
    ],
    'an update by a value of another shape': [
      step({ updates: [{ name: 'mean', updated: 'kernel_2' }] }),
      /^"kernel_2" has shape \[6, 3\]; expected \[6\], which the state "mean" has\.$/,
    ],
    'a loss of whole numbers': [
      () => {
        const { nodes, ...rest } = linear();
        const forward = { ...rest, nodes: [...nodes, node('Cast', ['loss'], 'count', { to: int(7) })] };
        return trainingStep(forward, { loss: 'count', parameters: ['w'], optimizer: { kind: 'sgd' } });
      },
      /^The loss "count" is of int64; expected float32 or float64\.$/,
    ],
    'a batch that takes the name of the learning rate': [
      () => {
        const { nodes, inputs, ...rest } = linear();
        const renamed = [node('Mul', ['w', LEARNING_RATE], 'product'), ...nodes.slice(1)];
        const forward = { ...rest, nodes: renamed, inputs: [value(LEARNING_RATE, 'float32', [2]), ...inputs.slice(1)] };
        return trainingStep(forward, { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' } });
      },
      /^Value "learning_rate" is given twice\.$/,
    ],
  };
  for (const [title, [build, message]] of Object.entries(refusals)) {
    test(`refuses ${title}`, () => assert.throws(build, { code: 'malformed-onnx', message }));
  }

  const outOfRange: Record<string, [change: Partial<TrainingOptions>, message: string]> = {
    'no parameters': [{ parameters: [] }, 'parameters is empty; expected the names of what is to be trained.'],
    'a parameter twice': [
      { parameters: ['bias_1', 'bias_1'] },
      '"bias_1" is named twice among parameters and updates.',
    ],
    'a negative weight decay': [
      { weightDecay: { kind: 'l2', rate: -1, parameters: [] } },
      'weightDecay.rate is -1; expected a number of 0 or more.',
    ],
    'decay of what is not trained': [
      { weightDecay: { kind: 'l2', rate: 1, parameters: ['mean'] } },
      'weightDecay names "mean", which is not among parameters.',
    ],
    'a clipping norm of zero': [{ clipGlobalNorm: 0 }, 'clipGlobalNorm is 0; expected a number above 0.'],
    'averages that never move': [{ averageDecay: 1 }, 'averageDecay is 1; expected a number from 0 to below 1.'],
    'a negative limit of packing': [{ packBelow: -1 }, 'packBelow is -1; expected a number of 0 or more.'],
    'a negative momentum': [
      { optimizer: { kind: 'momentum', momentum: -0.9 } },
      'optimizer.momentum is -0.9; expected a number from 0 to below 1 in float32.',
    ],
    'a beta of 1': [
      { optimizer: { kind: 'adam', beta2: 1 } },
      'optimizer.beta2 is 1; expected a number from 0 to below 1 in float32.',
    ],
    'an epsilon of zero': [
      { optimizer: { kind: 'rmsprop', epsilon: 0 } },
      'optimizer.epsilon is 0; expected a number above 0 in float32.',
    ],
    'a beta that float32 cannot tell from 1': [
      { optimizer: { kind: 'adam', beta2: 0.99999999 } },
      'optimizer.beta2 is 0.99999999; expected a number from 0 to below 1 in float32.',
    ],
    'a beta that is no number': [
      { optimizer: { kind: 'adam', beta1: '0.9' as unknown as number } },
      'optimizer.beta1 is 0.9; expected a number from 0 to below 1 in float32.',
    ],
    'a decay that there is not': [
      { weightDecay: { kind: 'l1' as 'l2', rate: 1, parameters: [] } },
      'weightDecay.kind is l1; expected l2 or decoupled.',
    ],
    'a size that is no whole number': [
      { sizes: { batch: 2.5 } },
      'sizes.batch is 2.5; expected a whole number of 1 or more.',
    ],
    'an optimiser that there is not': [
      { optimizer: { kind: 'lion' as 'adam' } },
      'optimizer.kind is lion; expected sgd, momentum, rmsprop, adam.',
    ],
  };
  for (const [title, [change, message]] of Object.entries(outOfRange)) {
    test(`refuses ${title}`, () => assert.throws(step(change), { name: 'RangeError', message }));
  }
});

describe('the state of a step', () => {
  const step = trainingStep(network.forward, { ...options, averageDecay: 0.9 });
  const state = initialState(step, (data, shape) => ({ data, shape }));
  const zeros = (size: number) => new Float32Array(size);

  test("begins with the forward graph's weights and statistics, averages of them, and zeros", () => {
    const named = namedState(step, state);
    const kernel = network.forward.initializers.find(({ name }) => name === 'kernel_1');
    assert.deepEqual(new Uint8Array(Float32Array.from(named['kernel_1'] ?? []).buffer), kernel?.data);
    assert.deepEqual(named['average/kernel_1'], named['kernel_1']);
    assert.deepEqual(named['second-moment-sum/kernel_1'], zeros(30));
    assert.deepEqual(named['variance'], zeros(6).fill(1));
    assert.deepEqual(named['step'], zeros(1));
  });

  test('begins with what is given, by the names of tensors, wherever they are packed', () => {
    const given = { bias_1: [1, 2, 3, 4, 5, 6], 'first-moment-sum/bias_1': zeros(6).fill(7), step: [40] };
    const named = namedState(
      step,
      initialState(step, (data, shape) => ({ data, shape }), given),
    );
    assert.deepEqual(named['bias_1'], Float32Array.of(1, 2, 3, 4, 5, 6));
    assert.deepEqual(named['average/bias_1'], named['bias_1']);
    assert.deepEqual(named['first-moment-sum/bias_1'], zeros(6).fill(7));
    assert.deepEqual(named['step'], Float32Array.of(40));
    assert.deepEqual(
      initialState(step, (data, shape) => ({ data, shape }), namedState(step, state)),
      state,
    );
  });

  test('is refused where it lacks a value, has one of another size, or one too many', () => {
    const bare = trainingStep(linear(), { loss: 'loss', parameters: ['w'], optimizer: { kind: 'momentum' } });
    const make = (given: Record<string, number[]>) => () => initialState(bare, (data) => data, given);
    assert.throws(make({}), { name: 'RangeError', message: 'State "w" has no values; expected 2.' });
    assert.throws(make({ w: [1] }), { name: 'RangeError', message: 'State "w" has 1 values; expected 2.' });
    assert.throws(make({ w: [1, 2], v: [1] }), {
      name: 'RangeError',
      message: '"v" is no state of the step, which has "step", "w", "accumulation/w".',
    });
    assert.throws(() => nextState(bare, { step_new: 1 }), {
      name: 'RangeError',
      message: 'The results have no "w_new".',
    });
  });
});

describe('a training loop', () => {
  test('refuses a graph whose inputs have the names of its own', () => {
    for (const name of ['learning_rates', 'losses']) {
      const { inputs, nodes, ...rest } = linear();
      const forward = {
        ...rest,
        nodes: [node('Mul', ['w', name], 'product'), ...nodes.slice(1)],
        inputs: [value(name, 'float32', [2]), ...inputs.slice(1)],
      };
      const step = trainingStep(forward, { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' } });
      assert.throws(() => trainingLoop(step), {
        code: 'malformed-onnx',
        message: `The loop has a value "${name}" of its own; rename the graph's.`,
      });
    }
  });

  test('takes a graph whose other values have the names of its own', async () => {
    const names = ['learning_rates', 'losses', 'loop/zero', 'loop/iteration', 'learning_rate/steps', 'x/now', 'loss'];
    const nodes = [
      node('Mul', ['w', 'x'], 'product'),
      node('ReduceSum', ['product'], 'learning_rates', { keepdims: int(0) }),
      ...names.slice(1).map((name, index) => node('Mul', [names[index] ?? '', 'two'], name)),
    ];
    const forward = { ...linear(), nodes, initializers: [float32Tensor('two', [], [2])] };
    const step = trainingStep(forward, { loss: 'loss', parameters: ['w'], optimizer: { kind: 'adam' } });
    const { losses } = await inLoop(step, [1, 1, 1, 1], { w: [1, 2] });
    assert.ok(losses?.[0] === 3 * 64 && Math.abs((losses[1] ?? NaN) - 64) < 1e-3, `${losses?.join()}`);
  });

  test('says the operator set that it is told to', () => {
    const step = trainingStep(linear(), { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' } });
    assert.deepEqual(trainingLoop(step).opsetImports, [{ domain: '', version: 17 }]);
    assert.deepEqual(trainingLoop(step, 20).opsetImports, [{ domain: '', version: 20 }]);
  });
});
