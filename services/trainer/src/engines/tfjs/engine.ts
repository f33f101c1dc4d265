import { CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH, PIXELS_PER_IMAGE, type Recipe } from '@atelier/domain';
import { trainingBatches } from '@atelier/fashion-mnist';
import * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import { initialState } from '../../network/initial-weights.ts';
import { AVERAGE_PREFIX } from '../../network/parameters.ts';
import type { EngineState, TrainingEngine, TrainingExamples, UnlabelledImages } from '../../training-engine.ts';
import { requireFittingExamples } from '../fitting-examples.ts';
import { layersModel } from './layers-model.ts';
import { type NamedVariable, type OptimizerStep, optimizerStep } from './optimizer.ts';
import { savedTensor, WeightAverage } from './weight-average.ts';

/** Rows a pass in inference mode takes at once: enough to fill the cores, little enough to stay in memory. */
const INFERENCE_BATCH = 1000;

/** What the names of the optimiser's tensors begin with in a state. */
const OPTIMIZER = 'optimizer/';

/** A recipe on tfjs, on the backend that was started; `device` is its name for people. */
export async function createTfjsEngine(recipe: Recipe, device: string): Promise<TrainingEngine> {
  return new TfjsEngine(recipe, device);
}

class TfjsEngine implements TrainingEngine {
  readonly device: string;
  readonly threads = null;
  readonly preferredSteps = 25;
  readonly #recipe: Recipe;
  readonly #model: Sequential;
  readonly #optimizer: OptimizerStep;
  readonly #trainable: NamedVariable[];
  readonly #average: WeightAverage | null;
  #steps = 0;

  constructor(recipe: Recipe, device: string) {
    this.device = device;
    this.#recipe = recipe;
    this.#model = layersModel(recipe, (layerName) => `${recipe.seed}/${layerName}/${this.#steps}`);
    // A layer's weight is a tfjs variable underneath; LayerVariable declares only a tensor.
    this.#trainable = this.#model.trainableWeights.map((weight) => ({
      name: weight.originalName,
      variable: weight.read() as tf.Variable,
    }));
    this.#optimizer = optimizerStep(recipe, this.#trainable);
    this.#assign(this.#savedWeights(initialState(recipe)));
    const { weightAveraging } = recipe;
    this.#average = weightAveraging === null ? null : new WeightAverage(weightAveraging.decay, this.#trainable);
  }

  async train(examples: TrainingExamples, learningRates: Float32Array): Promise<Float32Array> {
    requireFittingExamples(examples, learningRates, this.#recipe.batchSize);
    const losses: tf.Scalar[] = [];
    for (const batch of trainingBatches(examples, this.#recipe.batchSize)) {
      losses.push(this.#step(batch, learningRates[losses.length] ?? 0));
    }
    try {
      return Float32Array.from((await Promise.all(losses.map((loss) => loss.data()))).flatMap((values) => [...values]));
    } finally {
      tf.dispose(losses);
    }
  }

  #step(batch: TrainingExamples, learningRate: number): tf.Scalar {
    const variables = this.#trainable.map(({ variable }) => variable);
    const loss = tf.tidy(() => {
      const pixels = pixelTensor(batch);
      const targets = tf.tensor2d(batch.targets, [batch.count, CLASS_COUNT]);
      const { value, grads } = tf.variableGrads(() => {
        const logits = this.#model.apply(pixels, { training: true }) as tf.Tensor;
        return tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(targets, logits);
      }, variables);
      this.#optimizer.apply(grads, learningRate);
      return value;
    });
    this.#average?.update(this.#steps);
    this.#steps++;
    return loss;
  }

  async logits({ count, images }: UnlabelledImages): Promise<Float32Array> {
    const result = new Float32Array(count * CLASS_COUNT);
    for (let start = 0; start < count; start += INFERENCE_BATCH) {
      const end = Math.min(start + INFERENCE_BATCH, count);
      const batch = { count: end - start, images: images.subarray(start * PIXELS_PER_IMAGE, end * PIXELS_PER_IMAGE) };
      const compute = () => tf.tidy(() => this.#model.apply(pixelTensor(batch), { training: false }) as tf.Tensor);
      const logits = this.#average === null ? compute() : this.#average.inPlaceOfWeights(compute);
      result.set(await logits.data(), start * CLASS_COUNT);
      logits.dispose();
    }
    return result;
  }

  async snapshot(): Promise<EngineState> {
    const state: EngineState = { steps: this.#steps, tensors: {} };
    const save = async (name: string, tensor: tf.Tensor) => {
      state.tensors[name] = { shape: [...tensor.shape], data: Float32Array.from(await tensor.data()) };
    };
    for (const weight of this.#model.weights) await save(weight.originalName, weight.read());
    for (const [name, average] of Object.entries(this.#average?.tensors() ?? {})) await save(name, average);
    const slots = await this.#optimizer.slots();
    for (const [name, slot] of Object.entries(slots)) await save(`${OPTIMIZER}${name}`, slot);
    tf.dispose(slots);
    return state;
  }

  async restore(state: EngineState): Promise<void> {
    const weights = [...this.#savedWeights(state.tensors), ...this.#savedAverages(state.tensors)];
    const slots = Object.fromEntries(
      Object.entries(state.tensors)
        .filter(([name]) => name.startsWith(OPTIMIZER))
        .map(([name, { data, shape }]) => [name.slice(OPTIMIZER.length), tf.tensor(data, shape)]),
    );
    try {
      await this.#optimizer.restore(slots);
    } finally {
      tf.dispose(slots);
    }
    this.#assign(weights);
    this.#steps = state.steps;
  }

  /** Each weight of the model with what `tensors` has for it. */
  #savedWeights(tensors: EngineState['tensors']) {
    return this.#model.weights.map((weight) => ({
      variable: weight.read() as tf.Variable,
      saved: savedTensor(tensors, weight.originalName, weight.shape),
    }));
  }

  #savedAverages(tensors: EngineState['tensors']) {
    if (this.#average !== null) return this.#average.savedIn(tensors);
    const surplus = Object.keys(tensors).find((name) => name.startsWith(AVERAGE_PREFIX));
    if (surplus === undefined) return [];
    throw new RangeError(`"${surplus}" is of a recipe with weight averaging; this one has none.`);
  }

  #assign(weights: { variable: tf.Variable; saved: EngineState['tensors'][string] }[]): void {
    for (const { variable, saved } of weights) tf.tidy(() => variable.assign(tf.tensor(saved.data, saved.shape)));
  }

  async dispose(): Promise<void> {
    this.#average?.dispose();
    this.#optimizer.dispose();
    this.#model.dispose();
  }
}

function pixelTensor({ count, images }: UnlabelledImages): tf.Tensor {
  return tf.tensor3d(Float32Array.from(images), [count, IMAGE_HEIGHT, IMAGE_WIDTH]);
}
