import { encodeModel, model, type OnnxModel } from '@atelier/onnx';
import {
  initialState,
  LEARNING_RATES,
  LOSSES,
  nextState,
  trainingLoop,
  type TrainingStep,
} from '@atelier/onnx-training';
import { BATCH, CLASSES, INPUTS } from './small-network.ts';

process.env['ORT_DISABLE_TELEMETRY'] = '1'; // read when the library loads
const { InferenceSession, Tensor } = await import('onnxruntime-node');

export type State = Record<string, InstanceType<typeof Tensor>>;
export interface Run {
  losses: number[];
  state: State;
}

/** What a step of a small network begins with. */
export function begin(step: TrainingStep): State {
  return initialState(step, (data, shape) => new Tensor('float32', data, shape));
}

export interface Batches {
  x: Float32Array;
  targets: Float32Array;
}

/** Takes a step of a small network for each learning rate, each in a call of its own. */
export async function stepByStep(step: TrainingStep, from: State, batches: Batches, rates: number[]): Promise<Run> {
  const session = await open(model(step.graph));
  const losses: number[] = [];
  let state = from;
  for (const [index, rate] of rates.entries()) {
    const part = (all: Float32Array, size: number) => all.slice(index * BATCH * size, (index + 1) * BATCH * size);
    const results = await session.run({
      x: new Tensor('float32', part(batches.x, INPUTS), [BATCH, INPUTS]),
      targets: new Tensor('float32', part(batches.targets, CLASSES), [BATCH, CLASSES]),
      [step.learningRate]: new Tensor('float32', Float32Array.of(rate), []),
      ...state,
    });
    losses.push(...(results[step.loss]?.data as Float32Array));
    state = nextState(step, results);
  }
  await session.release();
  return { losses, state };
}

/** The same steps in one call. */
export async function inOneLoop(step: TrainingStep, from: State, batches: Batches, rates: number[]): Promise<Run> {
  const session = await open(trainingLoop(step));
  const results = await session.run({
    x: new Tensor('float32', batches.x, [rates.length, BATCH, INPUTS]),
    targets: new Tensor('float32', batches.targets, [rates.length, BATCH, CLASSES]),
    [LEARNING_RATES]: new Tensor('float32', Float32Array.from(rates), [rates.length]),
    ...from,
  });
  await session.release();
  return { losses: [...(results[LOSSES]?.data as Float32Array)], state: nextState(step, results) };
}

/** The logits of a model for rows of `x`. */
export async function logitsOf(source: OnnxModel, x: Float32Array): Promise<Float32Array> {
  const session = await open(source);
  const { logits } = await session.run({ x: new Tensor('float32', x, [x.length / INPUTS, INPUTS]) });
  await session.release();
  return logits?.data as Float32Array;
}

function open(source: OnnxModel) {
  return InferenceSession.create(encodeModel(source), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
}

/** Results of one call, all of float32, with inputs as numbers and their shape. */
export async function runOnce(
  source: OnnxModel,
  inputs: Readonly<Record<string, readonly [numbers: readonly number[], shape: readonly number[]]>>,
): Promise<Record<string, Float32Array>> {
  const session = await open(source);
  const feeds = Object.entries(inputs).map(([name, [numbers, shape]]) => [name, new Tensor('float32', numbers, shape)]);
  const results = await session.run(Object.fromEntries(feeds) as State);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}
