import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  boolScalar,
  decodeModel,
  encodeModel,
  float,
  float32Tensor,
  graphAttribute,
  int,
  ints,
  model,
  node,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  tensor,
  type TrainingInfo,
  value,
} from '@atelier/onnx';
import {
  initialState,
  mergedTrainingStep,
  namedState,
  trainingLoop,
  trainingModel,
  type TrainingOptions,
  trainingStep,
} from '@atelier/onnx-training';
import { BATCH, drawnBatches, INPUTS, numbers, smallNetwork } from '../../support/small-network.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { begin, inOneLoop, logitsOf, runOnce, type State, stepByStep } from '../../support/training-runs.ts';

const STEPS = 12;
const rates = Array.from({ length: STEPS }, (_, step) => 0.05 / (1 + step));
const batches = drawnBatches(STEPS);
const part = (from: number, to: number) => ({
  x: batches.x.slice((batches.x.length / STEPS) * from, (batches.x.length / STEPS) * to),
  targets: batches.targets.slice((batches.targets.length / STEPS) * from, (batches.targets.length / STEPS) * to),
});
const [early, late] = [part(0, 5), part(5, STEPS)];

const network = smallNetwork({ normalized: true });
const options: TrainingOptions = {
  loss: 'loss',
  parameters: network.parameters,
  updates: network.updates,
  sizes: { batch: BATCH },
  optimizer: { kind: 'adam' },
  weightDecay: { kind: 'decoupled', rate: 0.01, parameters: network.kernels },
};

function reread(source: OnnxModel): OnnxModel {
  return decodeModel(encodeModel(source), 'memory');
}

/** The network with weights and statistics out of a state. */
function withWeights(state: Record<string, Float32Array>, prefix = ''): OnnxModel {
  const { graph } = network.inference;
  const initializers = graph.initializers.map(({ name, shape }) =>
    float32Tensor(name, shape, state[`${prefix}${name}`] ?? state[name] ?? []),
  );
  return { ...network.inference, graph: { ...graph, initializers } };
}

describe('a training model', () => {
  const cases: Record<string, Partial<TrainingOptions>> = {
    'each parameter by itself': { packBelow: 0 },
    'packed parameters': {},
    'averages and clipping': { packBelow: 0, averageDecay: 0.9, clipGlobalNorm: 0.1 },
    'packed parameters and averages': { averageDecay: 0.9 },
  };
  for (const [title, more] of Object.entries(cases)) {
    test(`goes on with the losses and the state of an uninterrupted run, to the bit: ${title}`, async () => {
      const step = trainingStep(network.forward, { ...options, ...more });
      const whole = await stepByStep(step, begin(step), batches, rates);
      const before = await stepByStep(step, begin(step), early, rates.slice(0, 5));
      const merged = mergedTrainingStep(reread(trainingModel(network.inference, step, before.state)));
      const after = await stepByStep(merged, begin(merged), late, rates.slice(5));
      assert.deepEqual([...before.losses, ...after.losses], whole.losses);
      assert.equal(new Set(whole.losses).size, STEPS);
      assert.deepEqual(namedState(merged, after.state), namedState(step, whole.state));
    });
  }

  test('goes on in a loop, from the file of a loop, as the loop would have', async () => {
    const step = trainingStep(network.forward, options);
    const whole = await inOneLoop(step, begin(step), batches, rates);
    const before = await inOneLoop(step, begin(step), early, rates.slice(0, 5));
    const merged = mergedTrainingStep(reread(trainingModel(network.inference, step, before.state)));
    const after = await inOneLoop(merged, begin(merged), late, rates.slice(5));
    assert.deepEqual([...before.losses, ...after.losses], whole.losses);
    assert.deepEqual(namedState(merged, after.state), namedState(step, whole.state));
  });

  test('goes on in another process', async () => {
    const step = trainingStep(network.forward, options);
    const whole = await stepByStep(step, begin(step), batches, rates);
    const before = await stepByStep(step, begin(step), early, rates.slice(0, 5));
    const folder = await temporaryFolder();
    const file = join(folder.path, 'half.onnx');
    await writeFile(file, encodeModel(trainingModel(network.inference, step, before.state)));
    const script = fileURLToPath(new URL('../../support/go-on-training.ts', import.meta.url));
    const batch = JSON.stringify({ x: [...late.x], targets: [...late.targets] });
    const words = ['--import', 'tsx', script, file, batch, JSON.stringify(rates.slice(5))];
    const { stdout } = await promisify(execFile)(process.execPath, words).finally(() => folder.remove());
    assert.deepEqual([...before.losses, ...(JSON.parse(stdout) as number[])], whole.losses);
  });

  test('predicts with the trained weights on a runtime for inference, for any number of rows', async () => {
    const step = trainingStep(network.forward, options);
    const { state } = await stepByStep(step, begin(step), batches, rates);
    const x = numbers(3 * INPUTS, 77);
    const predicted = await logitsOf(reread(trainingModel(network.inference, step, state)), x);
    assert.deepEqual(predicted, await logitsOf(withWeights(namedState(step, state)), x));
    assert.notDeepEqual(predicted, await logitsOf(network.inference, x));
  });

  test('predicts with averages where the step keeps them', async () => {
    const step = trainingStep(network.forward, { ...options, averageDecay: 0.9 });
    const { state } = await stepByStep(step, begin(step), batches, rates);
    const x = numbers(3 * INPUTS, 77);
    const predicted = await logitsOf(reread(trainingModel(network.inference, step, state)), x);
    assert.deepEqual(predicted, await logitsOf(withWeights(namedState(step, state), 'average/'), x));
    assert.notDeepEqual(predicted, await logitsOf(withWeights(namedState(step, state)), x));
  });

  test('puts averages into the branches of an If too', async () => {
    const branch = (name: string, body: OnnxNode): OnnxGraph => ({
      name,
      nodes: [body],
      inputs: [],
      outputs: [value(`${name}_logits`, 'float32', null)],
      initializers: [],
      values: [],
    });
    const then = branch('then', node('MatMul', ['x', 'kernel_1'], 'then_logits'));
    const other = branch('else', node('Identity', ['x'], 'else_logits'));
    const choice = node('If', ['always'], 'logits', {
      then_branch: graphAttribute(then),
      else_branch: graphAttribute(other),
    });
    const { graph } = network.inference;
    const branching: OnnxGraph = {
      ...graph,
      nodes: [choice],
      outputs: [value('logits', 'float32', [null, null])],
      initializers: [...graph.initializers.filter(({ name }) => name === 'kernel_1'), boolScalar('always', true)],
    };
    const step = trainingStep(network.forward, { ...options, averageDecay: 0.9, packBelow: 0 });
    const { state } = await stepByStep(step, begin(step), batches, rates);
    const saved = reread(trainingModel({ ...network.inference, graph: branching }, step, state));
    const kernel = namedState(step, state)['average/kernel_1'];
    assert.deepEqual(await logitsOf(saved, Float32Array.of(1, 0, 0, 0, 0)), kernel?.slice(0, 6));
    const merged = mergedTrainingStep(saved);
    const goneOn = await stepByStep(merged, begin(merged), late, rates.slice(5));
    const wentOn = await stepByStep(step, state, late, rates.slice(5));
    assert.deepEqual(goneOn.losses, wentOn.losses);
  });

  test('is what the specification asks of TrainingInfoProto, of standard operators alone', async () => {
    const step = trainingStep(network.forward, { ...options, averageDecay: 0.9 });
    const saved = reread(trainingModel(network.inference, step, begin(step)));
    const { algorithm, updateBinding } = saved.trainingInfo?.[0] ?? {};
    assert.ok(algorithm !== undefined && updateBinding !== undefined && saved.irVersion >= 7);
    const all = [...saved.graph.nodes, ...algorithm.nodes];
    const initializers = [...saved.graph.initializers, ...algorithm.initializers].map(({ name }) => name);
    const inputs = [...saved.graph.inputs, ...algorithm.inputs].map(({ name }) => name);
    const given = [...inputs, ...initializers, ...all.flatMap(({ outputs }) => outputs)];
    assert.equal(new Set(given).size, given.length, 'each name of the combined graph is given once');
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length, 'each node has a name of its own');
    assert.deepEqual([...new Set(all.map(({ domain }) => domain))], ['']);
    assert.deepEqual(
      Object.keys(updateBinding),
      step.unpacked().state.map(({ name }) => name),
    );
    const outputs = algorithm.outputs.map(({ name }) => name);
    for (const [name, output] of Object.entries(updateBinding)) {
      assert.ok(initializers.includes(name) && outputs.includes(output), name);
    }
    assert.deepEqual(inputs, ['x', 'targets', 'learning_rate']);
  });

  test('has in its algorithm only what the inference graph lacks', () => {
    const step = trainingStep(network.forward, options);
    const { algorithm } = trainingModel(network.inference, step, begin(step)).trainingInfo?.[0] ?? {};
    const outputs = algorithm?.nodes.flatMap((each) => each.outputs) ?? [];
    assert.ok(!outputs.includes('product') && !outputs.includes('training/product'), 'the same in training');
    assert.ok(outputs.includes('training/normalized') && outputs.includes('training/hidden'), 'another in training');
  });

  /** The operators that the algorithm has of its own when the network is predicted by `predicting` and trained by `training`. */
  const ownNodes = (predicting: OnnxNode[], training: OnnxNode[]) => {
    const [w, x] = [float32Tensor('w', [2], [1, 2]), value('x', 'float32', [2])];
    const loss = node('ReduceSum', [training.at(-1)?.outputs[0] ?? ''], 'loss', { keepdims: int(0) });
    const rest = { inputs: [x], initializers: [w, boolScalar('yes', true)], values: [] };
    const forward = { name: 'forward', nodes: [...training, loss], outputs: [], ...rest };
    const y = value(predicting.at(-1)?.outputs[0] ?? '', 'float32', [2]);
    const inference = model({ name: 'inference', nodes: predicting, outputs: [y], ...rest });
    const step = trainingStep(forward, { loss: 'loss', parameters: ['w'], optimizer: { kind: 'sgd' } });
    const { algorithm } = trainingModel(inference, step, begin(step)).trainingInfo?.[0] ?? {};
    return (algorithm?.nodes ?? []).filter(({ outputs }) => !outputs[0]?.includes('gradient'));
  };

  test('shares a node with the same attributes in whatever order, and none with others', () => {
    const product = node('Mul', ['w', 'x'], 'product');
    const bend = (alpha: number, name: string) =>
      node('Selu', ['product'], name, { alpha: float(alpha), gamma: float(2) });
    const turned = node('Selu', ['product'], 'y', { gamma: float(2), alpha: float(1) });
    const bent = (predicting: OnnxNode, training: OnnxNode) =>
      ownNodes([product, predicting], [product, training]).filter(({ opType }) => opType === 'Selu');
    assert.deepEqual(bent(turned, bend(1, 'y')), []);
    assert.deepEqual(bent(turned, bend(1, 'of_another_name')), []);
    const [other] = bent(turned, bend(3, 'y'));
    assert.deepEqual(other?.outputs, ['training/y']);
    assert.deepEqual(other.attributes['alpha'], float(3));
  });

  test('shares no node that draws at random', () => {
    const nodes = [node('Dropout', ['x', '', 'yes'], 'dropped'), node('Mul', ['w', 'dropped'], 'y')];
    const drawn = ownNodes(nodes, nodes).filter(({ opType }) => opType === 'Dropout');
    assert.deepEqual(
      drawn.map(({ outputs }) => outputs[0]),
      ['training/dropped'],
    );
  });

  test('keeps the metadata of the inference model, and is of a version that has training information', () => {
    const step = trainingStep(network.forward, options);
    const saved = trainingModel({ ...network.inference, metadata: { author: 'me' }, irVersion: 6 }, step, begin(step));
    assert.equal(saved.metadata['author'], 'me');
    assert.equal(saved.irVersion, 7);
  });

  test('takes inputs of its own where the inference graph has others under their names', async () => {
    const step = trainingStep(network.forward, options);
    const single = { ...network.inference.graph, inputs: [value('x', 'float32', [1, INPUTS])] };
    const merged = mergedTrainingStep(trainingModel({ ...network.inference, graph: single }, step, begin(step)));
    assert.deepEqual(merged.batch, ['training/x', 'targets']);
  });

  test("refuses an inference graph that does not fit the step, and a state that is not the step's", () => {
    const step = trainingStep(network.forward, options);
    const { graph } = network.inference;
    const changed = (change: Partial<typeof graph>) => ({ ...network.inference, graph: { ...graph, ...change } });
    const wide = graph.initializers.map((each) =>
      each.name === 'bias_1' ? float32Tensor('bias_1', [7], numbers(7, 1)) : each,
    );
    assert.throws(() => trainingModel(changed({ initializers: wide }), step, begin(step)), {
      code: 'malformed-onnx',
      message: '"bias_1" of the inference graph has shape [7]; the step moves [6].',
    });
    const counting = [...graph.nodes, node('Identity', ['logits'], 'step')];
    assert.throws(() => trainingModel(changed({ nodes: counting }), step, begin(step)), {
      code: 'malformed-onnx',
      message: '"step" is a state of the step, and something else in the inference graph; rename one.',
    });
    const lacking = Object.fromEntries(Object.entries(begin(step)).filter(([name]) => name !== 'mean'));
    assert.throws(() => trainingModel(network.inference, step, lacking), {
      name: 'RangeError',
      message: 'State "mean" is not 6 float32 values.',
    });
  });
});

describe('the merger', () => {
  /** y = w·x; the algorithm moves w against the gradient of y, x, and has names of its own for everything. */
  const byHand = (change: Partial<TrainingInfo> = {}, initializers = [float32Tensor('w', [2], [1, 2])]): OnnxModel => ({
    ...model({
      name: 'product',
      nodes: [node('Mul', ['w', 'x'], 'y')],
      inputs: [value('x', 'float32', [2])],
      outputs: [value('y', 'float32', [2])],
      initializers,
      values: [],
    }),
    trainingInfo: [
      {
        algorithm: {
          name: 'descent',
          nodes: [
            node('ReduceSum', ['y'], 'sum', { keepdims: { type: 'int', value: 0 } }),
            node('Mul', ['x', 'learning_rate'], 'move'),
            node('Sub', ['w', 'move'], 'moved'),
          ],
          inputs: [value('learning_rate', 'float32', [])],
          outputs: [value('sum', 'float32', []), value('moved', 'float32', [2])],
          initializers: [],
          values: [],
        },
        initializationBinding: {},
        updateBinding: { w: 'moved' },
        ...change,
      },
    ],
  });

  test('takes a training step that another tool wrote, alone and in a loop', async () => {
    const { InferenceSession, Tensor } = await import('onnxruntime-node');
    const step = mergedTrainingStep(reread(byHand()));
    assert.deepEqual([step.batch, step.loss, step.stepCount], [['x'], 'sum', null]);
    const from: State = begin(step);
    const x = new Tensor('float32', Float32Array.of(1, 10), [2]);
    const session = await InferenceSession.create(encodeModel(model(step.graph)));
    const rate = new Tensor('float32', Float32Array.of(0.5), []);
    const once = await session.run({ x, learning_rate: rate, ...from });
    assert.deepEqual([once['sum']?.data, once['w_new']?.data], [Float32Array.of(21), Float32Array.of(0.5, -3)]);
    const loop = await InferenceSession.create(encodeModel(trainingLoop(step)));
    const results = await loop.run({
      x: new Tensor('float32', Float32Array.of(1, 10, 1, 0), [2, 2]),
      learning_rates: new Tensor('float32', Float32Array.of(0.5, 1), [2]),
      ...from,
    });
    assert.deepEqual(results['losses']?.data, Float32Array.of(21, 0.5));
    assert.deepEqual(results['w_new']?.data, Float32Array.of(-0.5, -3));
  });

  const algorithm = byHand().trainingInfo?.[0]?.algorithm;
  assert.ok(algorithm !== undefined);
  const withAlgorithm = (change: Partial<typeof algorithm>) => byHand({ algorithm: { ...algorithm, ...change } });
  const refusals: Record<string, [OnnxModel, string]> = {
    'no training information': [network.inference, 'The model has no training information (training_info).'],
    'two training steps': [
      { ...byHand(), trainingInfo: [...(byHand().trainingInfo ?? []), ...(byHand().trainingInfo ?? [])] },
      'The model has 2 training steps (training_info); supported: one.',
    ],
    'no algorithm': [
      { ...byHand(), trainingInfo: [{ initializationBinding: {}, updateBinding: {} }] },
      'The training information has no algorithm.',
    ],
    'a name that both graphs give': [
      withAlgorithm({ nodes: [...algorithm.nodes, node('Neg', ['x'], 'y')] }),
      'The inference graph and the training algorithm both have "y"; expected it once.',
    ],
    'an input that both graphs declare': [
      withAlgorithm({ inputs: [...algorithm.inputs, value('x', 'float32', [2])] }),
      'The inference graph and the training algorithm both have "x"; expected it once.',
    ],
    'a binding of what is no initializer': [
      byHand({ updateBinding: { x: 'moved' } }),
      'update_binding names "x", which is no initializer.',
    ],
    'a binding to what is no output': [
      byHand({ updateBinding: { w: 'move' } }),
      'update_binding sets "w" to "move", which is no output.',
    ],
    'a value that has the name of a new state': [
      withAlgorithm({ nodes: [...algorithm.nodes, node('Neg', ['x'], 'w_new')] }),
      '"w_new" is to be the new value of "w", and something else has that name.',
    ],
    'a variable that is not float32': [
      byHand({}, [tensor('w', 'float64', [2], [1, 2])]),
      'Variable "w" of the training algorithm is of float64; supported: float32.',
    ],
    'an initialization of its variables': [
      byHand({ initializationBinding: { w: 'drawn' } }),
      'The training information has an initialization (w); supported: none, ',
    ],
    'a graph of initialization': [
      byHand({
        initialization: { ...algorithm, nodes: [node('RandomNormal', [], 'drawn', { shape: ints([2]) })], inputs: [] },
      }),
      'The training information has an initialization (bound to nothing); supported: none, ',
    ],
    'an input that has the name of a new state': [
      withAlgorithm({ inputs: [...algorithm.inputs, value('w_new', 'float32', [2])] }),
      '"w_new" is to be the new value of "w", and something else has that name.',
    ],
    'a loss that is no scalar': [
      withAlgorithm({ outputs: [value('sum', 'float32', [1]), value('moved', 'float32', [2])] }),
      'The loss "sum" of the training algorithm is float32 [1]; expected a float32 scalar.',
    ],
    'a loss of another type': [
      withAlgorithm({ outputs: [value('sum', 'float64', []), value('moved', 'float32', [2])] }),
      'The loss "sum" of the training algorithm is float64 []; expected a float32 scalar.',
    ],
    'no learning rate': [
      withAlgorithm({
        inputs: [value('rate', 'float32', [])],
        nodes: [...algorithm.nodes.slice(0, 1), node('Mul', ['x', 'rate'], 'move'), ...algorithm.nodes.slice(2)],
      }),
      'The training algorithm has no float32 input "learning_rate" for the learning rate.',
    ],
    'more than one output that could be the loss': [
      withAlgorithm({ outputs: [...algorithm.outputs, value('move', 'float32', [2])] }),
      'The training algorithm has 2 outputs that no variable is bound to (sum, move); say which is the loss.',
    ],
    'metadata that is no JSON': [
      { ...byHand(), metadata: { training_step: '{' } },
      `The model's metadata has a "training_step" that is no JSON: `,
    ],
    'metadata of another form': [
      { ...byHand(), metadata: { training_step: '{"loss":3}' } },
      `The model's metadata has a "training_step" of another form; expected learningRate, loss and batch.`,
    ],
  };
  for (const [title, [source, message]] of Object.entries(refusals)) {
    test(`refuses a file with ${title}`, () => {
      assert.throws(
        () => mergedTrainingStep(source),
        (error: Error & { code?: string }) => error.code === 'malformed-onnx' && error.message.startsWith(message),
      );
    });
  }

  test('is told the names of a learning rate and a loss where there is a choice', () => {
    const source = withAlgorithm({ outputs: [...algorithm.outputs, value('move', 'float32', [2])] });
    assert.equal(mergedTrainingStep(source, { loss: 'sum' }).loss, 'sum');
  });

  test('refuses a loss that the algorithm does not give', () => {
    for (const loss of ['y', 'lost', 'learning_rate']) {
      assert.throws(() => mergedTrainingStep(byHand(), { loss }), {
        code: 'malformed-onnx',
        message: `The training algorithm has no output "${loss}" to be the loss; it has sum, moved.`,
      });
    }
  });

  /** Two steps of rates 1 and 2 of the algorithm with one more variable, which `nodes` move; what becomes of all. */
  const withVariable = async (name: string, nodes: OnnxNode[], updated: string) => {
    const source = byHand(
      {
        algorithm: {
          ...algorithm,
          nodes: [...algorithm.nodes, ...nodes],
          outputs: [...algorithm.outputs, value(updated, 'float32', [])],
          initializers: [float32Tensor(name, [], [4]), float32Tensor('one', [], [1]), float32Tensor('two', [], [2])],
        },
        updateBinding: { w: 'moved', [name]: updated },
      },
      [float32Tensor('w', [2], [1, 2])],
    );
    const step = mergedTrainingStep(reread(source));
    const results = await runOnce(trainingLoop(step), {
      x: [
        [1, 10, 1, 0],
        [2, 2],
      ],
      learning_rates: [[1, 2], [2]],
      ...initialState(step, (data, shape) => [[...data], shape] as const),
    });
    return { step, results };
  };

  test('keeps a state that is computed of the learning rate alone', async () => {
    const { results } = await withVariable('last', [node('Mul', ['learning_rate', 'two'], 'last_new')], 'last_new');
    assert.deepEqual([results['last_new'], results['w_new']], [Float32Array.of(4), Float32Array.of(-2, -8)]);
    const { results: copied } = await withVariable('last', [node('Identity', ['learning_rate'], 'seen')], 'seen');
    assert.deepEqual(copied['last_new'], Float32Array.of(2));
  });

  test('knows beforehand a count of steps, and nothing that only looks like one', async () => {
    const cases: [name: string, add: string, isCount: boolean, after: number][] = [
      ['step', 'one', true, 6],
      ['step', 'two', false, 8],
      ['other', 'one', false, 6],
    ];
    for (const [name, add, isCount, after] of cases) {
      const updated = `${name}_new`;
      const { step, results } = await withVariable(name, [node('Add', [name, add], updated)], updated);
      assert.equal(step.stepCount, isCount ? name : null);
      assert.deepEqual(results[updated], Float32Array.of(after), `${name} + ${add}`);
    }
    const { step, results } = await withVariable('step', [node('Sub', ['step', 'one'], 'step_new')], 'step_new');
    assert.equal(step.stepCount, null);
    assert.deepEqual(results['step_new'], Float32Array.of(2));
  });
});
