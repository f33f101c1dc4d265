import { encodeModel, int, model } from '@atelier/onnx';
import * as training from '@atelier/onnx-training';
import { InferenceSession, Tensor } from 'onnxruntime-node';

const [STEPS, BATCH, ARMS] = [1000, 150, 3];

/** `count` points of the plane, and on which arm of a spiral each lies. */
function spiral(count: number, seed: number) {
  const noise = (n: number) => (Math.sin((seed + n) * 12.9898) * 43758.5453) % 1; // -1 to 1, the same every time
  const arms = Array.from({ length: count }, (_, index) => index % ARMS);
  const points = arms.flatMap((arm, index) => {
    const radius = Math.abs(noise(index));
    const angle = 5 * radius + (2 * Math.PI * arm) / ARMS + 0.2 * noise(index + 0.5);
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
  return { points: Float32Array.from(points), arms: BigInt64Array.from(arms, BigInt) };
}

// The network and its loss, as a graph of ONNX operators.
const graph = new training.GraphBuilder();
const points = graph.input('points', 'float32', [BATCH, 2]);
const arms = graph.input('arms', 'int64', [BATCH]);
const hidden = graph.add('Relu', [training.dense(graph, points, 'hidden', 64)]);
const logits = training.dense(graph, hidden, 'logits', ARMS);
const loss = training.crossEntropy(graph, logits, arms);
const predicted = graph.add('ArgMax', [logits], { axis: int(1), keepdims: int(0) });
const forward = graph.graph('spiral', [loss, predicted]);

// Gradients and Adam, still as a graph; and 1000 steps in one call of the runtime.
const step = training.trainingStep(forward, { loss, parameters: graph.parameters, optimizer: { kind: 'adam' } });
const session = await InferenceSession.create(encodeModel(training.trainingLoop(step)));
const batches = spiral(STEPS * BATCH, 1);
const results = await session.run({
  points: new Tensor('float32', batches.points, [STEPS, BATCH, 2]),
  arms: new Tensor('int64', batches.arms, [STEPS, BATCH]),
  learning_rates: new Tensor('float32', new Float32Array(STEPS).fill(0.01), [STEPS]),
  ...training.initialState(step, (data, shape) => new Tensor('float32', data, shape)),
});

// One file: every ONNX runtime predicts with it, and `mergedTrainingStep` goes on training from it.
const network = model(training.subgraph(forward, [predicted]));
const trained = encodeModel(training.trainingModel(network, step, training.nextState(step, results)));

const test = spiral(BATCH, 1e6);
const predictor = await InferenceSession.create(trained);
const answers = await predictor.run({ points: new Tensor('float32', test.points, [BATCH, 2]) });
const right = test.arms.filter((arm, index) => arm === answers[predicted]?.data[index]);
console.log(`${right.length} of ${BATCH} new points are on the right arm`);
