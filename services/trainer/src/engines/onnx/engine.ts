import { availableParallelism } from 'node:os';
import { CLASS_COUNT, PIXELS_PER_IMAGE } from '@atelier/domain';
import { sliceTraining } from '@atelier/fashion-mnist';
import { model } from '@atelier/onnx';
import {
  LEARNING_RATES,
  LOSSES,
  STEP_COUNT,
  type StateVariable,
  trainingLoop,
  trainingStep,
  updatedName,
} from '@atelier/onnx-training';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import { initialState } from '../../network/initial-weights.ts';
import { type NetworkRecipe, trainedName } from '../../network/parameters.ts';
import type { EngineState, TrainingEngine, TrainingExamples, UnlabelledImages } from '../../training-engine.ts';
import { requireFittingExamples } from '../fitting-examples.ts';
import { dropoutMasks } from './dropout-masks.ts';
import { engineState, variableValues, type VariableValues } from './engine-state.ts';
import { type Dropout, IMAGES, inferenceNetwork, LOGITS, OPSETS, TARGETS, trainingNetwork } from './network.ts';
import { loadRuntime, openSession, type Runtime, type SessionSettings } from './session.ts';
import { stepOptions } from './step-options.ts';

/** More steps in one call make it no faster. */
const MOST_STEPS = 100;
/** Their images and dropout masks lie in memory at once: 18 MB for `atelier`. */
const EXAMPLES_PER_CALL = 6400;

/** Rows a pass in inference mode takes at once: enough to fill the cores, little enough to stay in memory. */
const INFERENCE_BATCH = 1000;

/** A recipe as an ONNX training graph on onnxruntime. By default it takes the cores that this process may use. */
export async function createOnnxEngine(
  recipe: NetworkRecipe,
  settings: Partial<SessionSettings> = {},
): Promise<TrainingEngine> {
  const complete: SessionSettings = { device: 'cpu', threads: availableParallelism(), ...settings };
  const engine = new OnnxEngine(recipe, await loadRuntime(), complete);
  await engine.prepare();
  return engine;
}

/** The loop over batches of one size. */
interface Loop {
  session: InferenceSession;
  variables: readonly StateVariable[];
  dropouts: readonly Dropout[];
}

class OnnxEngine implements TrainingEngine {
  readonly device: string;
  readonly threads: number | null;
  readonly preferredSteps: number;
  readonly #recipe: NetworkRecipe;
  readonly #runtime: Runtime;
  readonly #settings: SessionSettings;
  /** By batch size: the last batch of an epoch may be short. */
  readonly #loops = new Map<number, Promise<Loop>>();
  #inference: InferenceSession | null = null;
  #variables: readonly StateVariable[] = [];
  #values: VariableValues = new Map();

  constructor(recipe: NetworkRecipe, runtime: Runtime, settings: SessionSettings) {
    this.#recipe = recipe;
    this.#runtime = runtime;
    this.#settings = settings;
    this.preferredSteps = Math.max(1, Math.min(MOST_STEPS, Math.floor(EXAMPLES_PER_CALL / recipe.batchSize)));
    const { device, threads } = settings;
    this.threads = device === 'cpu' ? threads : null;
    this.device = device === 'cpu' ? `cpu, ${threads} ${threads === 1 ? 'thread' : 'threads'}` : device;
  }

  /** Opens the sessions, so that what cannot run fails before the first batch, and draws the initial weights. */
  async prepare(): Promise<void> {
    const inference = model(inferenceNetwork(this.#recipe), OPSETS);
    this.#inference = await openSession(this.#runtime, inference, this.#settings);
    this.#variables = (await this.#loop(this.#recipe.batchSize)).variables;
    await this.restore({ steps: 0, tensors: initialState(this.#recipe) });
  }

  async train(examples: TrainingExamples, learningRates: Float32Array): Promise<Float32Array> {
    const { batchSize } = this.#recipe;
    requireFittingExamples(examples, learningRates, batchSize);
    const steps = learningRates.length;
    const whole = Math.floor(examples.count / batchSize);
    const losses = new Float32Array(steps);
    const end = whole * batchSize;
    if (whole > 0)
      losses.set(await this.#run(sliceTraining(examples, 0, end), batchSize, learningRates.slice(0, whole)));
    if (whole < steps) {
      const short = sliceTraining(examples, end, examples.count);
      losses.set(await this.#run(short, short.count, learningRates.slice(whole)), whole);
    }
    return losses;
  }

  /** Optimiser steps taken, which the graph counts. */
  get #steps(): number {
    return this.#values.get(STEP_COUNT)?.[0] ?? 0;
  }

  async #run(examples: TrainingExamples, batchSize: number, rates: Float32Array): Promise<Float32Array> {
    const { session, variables, dropouts } = await this.#loop(batchSize);
    const steps = rates.length;
    const { Tensor } = this.#runtime;
    const feeds: Record<string, Tensor> = {
      [IMAGES]: new Tensor('uint8', examples.images, [steps, batchSize, PIXELS_PER_IMAGE]),
      [TARGETS]: new Tensor('float32', examples.targets, [steps, batchSize, CLASS_COUNT]),
      [LEARNING_RATES]: new Tensor('float32', rates, [steps]),
    };
    for (const dropout of dropouts) {
      const masks = dropoutMasks(dropout, { seed: this.#recipe.seed, firstStep: this.#steps, steps, batchSize });
      feeds[dropout.mask] = new Tensor('uint8', masks, [steps, batchSize, dropout.units]);
    }
    for (const { name, shape } of variables) {
      feeds[name] = new Tensor('float32', this.#values.get(name) ?? new Float32Array(), shape);
    }
    const results = await session.run(feeds);
    const result = (name: string) => results[name]?.data as Float32Array;
    this.#values = new Map(variables.map(({ name }) => [name, result(updatedName(name))]));
    return result(LOSSES);
  }

  #loop(batchSize: number): Promise<Loop> {
    const known = this.#loops.get(batchSize);
    if (known !== undefined) return known;
    const made = this.#openLoop(batchSize);
    this.#loops.set(batchSize, made);
    return made;
  }

  async #openLoop(batchSize: number): Promise<Loop> {
    const network = trainingNetwork(this.#recipe, batchSize);
    const step = trainingStep(network.forward, stepOptions(this.#recipe, network));
    const session = await openSession(this.#runtime, { ...trainingLoop(step), ...OPSETS }, this.#settings);
    return { session, variables: step.state, dropouts: network.dropouts };
  }

  async logits({ count, images }: UnlabelledImages): Promise<Float32Array> {
    if (this.#inference === null) throw new Error('The engine is not prepared.');
    const { Tensor } = this.#runtime;
    const { tensors } = engineState(this.#variables, this.#values);
    const weights: Record<string, Tensor> = {};
    for (const name of this.#inference.inputNames.filter((input) => input !== IMAGES)) {
      const weight = tensors[trainedName(tensors, name)];
      if (weight !== undefined) weights[name] = new Tensor('float32', weight.data, weight.shape);
    }
    const logits = new Float32Array(count * CLASS_COUNT);
    for (let start = 0; start < count; start += INFERENCE_BATCH) {
      const rows = Math.min(INFERENCE_BATCH, count - start);
      const pixels = images.subarray(start * PIXELS_PER_IMAGE, (start + rows) * PIXELS_PER_IMAGE);
      const batch = new Tensor('uint8', pixels, [rows, PIXELS_PER_IMAGE]);
      const results = await this.#inference.run({ ...weights, [IMAGES]: batch });
      logits.set(results[LOGITS]?.data as Float32Array, start * CLASS_COUNT);
    }
    return logits;
  }

  async snapshot(): Promise<EngineState> {
    return engineState(this.#variables, this.#values);
  }

  async restore(state: EngineState): Promise<void> {
    this.#values = variableValues(this.#variables, state);
  }

  async dispose(): Promise<void> {
    await this.#inference?.release();
    for (const loop of this.#loops.values()) await (await loop).session.release();
  }
}
