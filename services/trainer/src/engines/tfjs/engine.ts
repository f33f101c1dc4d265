import { CLASS_COUNT, IMAGE_HEIGHT, IMAGE_WIDTH, type Recipe } from '@atelier/domain';
import { batches, type Examples } from '@atelier/fashion-mnist';
import * as tf from '@tensorflow/tfjs-core';
import type { Sequential } from '@tensorflow/tfjs-layers';
import type { EngineState, TrainedLayersModel, TrainingEngine } from '../../training-engine.ts';
import { startFastestBackend } from './backend.ts';
import { layersModel } from './layers-model.ts';
import { type OptimizerStep, optimizerStep } from './optimizer.ts';

/** Rows a pass in inference mode takes at once: enough to fill the cores, little enough to stay in memory. */
const INFERENCE_BATCH = 1000;

/** A recipe on tfjs, on the fastest backend that starts here. */
export async function createTfjsEngine(recipe: Recipe): Promise<TrainingEngine> {
  const { device } = await startFastestBackend();
  return new TfjsEngine(recipe, device);
}

class TfjsEngine implements TrainingEngine {
  readonly device: string;
  readonly #recipe: Recipe;
  readonly #model: Sequential;
  readonly #optimizer: OptimizerStep;
  readonly #trainable: tf.Variable[];
  #steps = 0;

  constructor(recipe: Recipe, device: string) {
    this.device = device;
    this.#recipe = recipe;
    this.#model = layersModel(recipe, (layerName) => `${recipe.seed}/${layerName}/${this.#steps}`);
    // A layer's weight is a tfjs variable underneath; LayerVariable declares only a tensor.
    this.#trainable = this.#model.trainableWeights.map((weight) => weight.read() as tf.Variable);
    const kernels = this.#model.trainableWeights.flatMap((weight, index) =>
      weight.originalName.endsWith('/kernel') ? [this.#trainable[index]?.name ?? ''] : [],
    );
    this.#optimizer = optimizerStep(recipe, this.#trainable, new Set(kernels));
  }

  async train(examples: Examples, learningRates: Float32Array): Promise<Float32Array> {
    const expected = Math.ceil(examples.count / this.#recipe.batchSize);
    if (learningRates.length !== expected) {
      throw new RangeError(
        `${learningRates.length} learning rates for ${examples.count} examples; expected ${expected}.`,
      );
    }
    const losses: tf.Scalar[] = [];
    for (const batch of batches(examples, this.#recipe.batchSize)) {
      losses.push(this.#step(batch, learningRates[losses.length] ?? 0));
    }
    try {
      return Float32Array.from((await Promise.all(losses.map((loss) => loss.data()))).flatMap((values) => [...values]));
    } finally {
      tf.dispose(losses);
    }
  }

  #step(batch: Examples, learningRate: number): tf.Scalar {
    const { labelSmoothing } = this.#recipe.loss;
    const loss = tf.tidy(() => {
      const pixels = pixelTensor(batch);
      const labels = tf.oneHot(tf.tensor1d(Int32Array.from(batch.labels), 'int32'), CLASS_COUNT);
      const { value, grads } = tf.variableGrads(() => {
        const logits = this.#model.apply(pixels, { training: true }) as tf.Tensor;
        return tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(labels, logits, undefined, labelSmoothing);
      }, this.#trainable);
      this.#optimizer.apply(grads, learningRate);
      return value;
    });
    this.#steps++;
    return loss;
  }

  async logits(examples: Examples): Promise<Float32Array> {
    const result = new Float32Array(examples.count * CLASS_COUNT);
    let row = 0;
    for (const batch of batches(examples, INFERENCE_BATCH)) {
      const logits = tf.tidy(() => this.#model.apply(pixelTensor(batch), { training: false }) as tf.Tensor);
      result.set(await logits.data(), row * CLASS_COUNT);
      logits.dispose();
      row += batch.count;
    }
    return result;
  }

  async snapshot(): Promise<EngineState> {
    const state: EngineState = { steps: this.#steps, tensors: {} };
    const save = async (name: string, tensor: tf.Tensor) => {
      state.tensors[name] = { shape: [...tensor.shape], data: Float32Array.from(await tensor.data()) };
    };
    for (const weight of this.#model.weights) await save(weight.originalName, weight.read());
    const slots = await this.#optimizer.state();
    for (const [index, slot] of slots.entries()) await save(`optimizer/${index}`, slot);
    return state;
  }

  async restore(state: EngineState): Promise<void> {
    const restored = this.#model.weights.map((weight) => {
      const saved = state.tensors[weight.originalName];
      if (saved?.shape.join() !== weight.shape.join()) {
        const found = saved ? `has shape [${saved.shape.join()}]` : 'is missing';
        throw new RangeError(`"${weight.originalName}" ${found}; expected [${weight.shape.join()}].`);
      }
      return { weight, saved };
    });
    for (const { weight, saved } of restored) {
      tf.tidy(() => (weight.read() as tf.Variable).assign(tf.tensor(saved.data, saved.shape)));
    }
    const slots = Object.keys(state.tensors).filter((name) => name.startsWith('optimizer/'));
    const tensors = slots.map((_, index) => {
      const { shape, data } = state.tensors[`optimizer/${index}`] ?? { shape: [0], data: new Float32Array() };
      return index === 0 ? tf.tensor(Int32Array.from(data), shape, 'int32') : tf.tensor(data, shape);
    });
    await this.#optimizer.restore(tensors);
    this.#steps = state.steps;
  }

  async layersModel(): Promise<TrainedLayersModel> {
    let saved: tf.io.ModelArtifacts | undefined;
    await this.#model.save(
      tf.io.withSaveHandler(async (artifacts) => {
        saved = artifacts;
        return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
      }),
    );
    const { modelTopology, weightSpecs, weightData, generatedBy } = saved ?? {};
    if (modelTopology === undefined || weightSpecs === undefined || weightData === undefined) {
      throw new Error('tfjs saved a model without topology or weights.');
    }
    return {
      modelTopology,
      weightSpecs,
      weightData: new Uint8Array(tf.io.CompositeArrayBuffer.join(weightData)),
      generatedBy: generatedBy ?? 'TensorFlow.js',
    };
  }

  async dispose(): Promise<void> {
    this.#optimizer.dispose();
    this.#model.dispose();
  }
}

function pixelTensor(examples: Examples): tf.Tensor {
  return tf.tensor3d(Float32Array.from(examples.images), [examples.count, IMAGE_HEIGHT, IMAGE_WIDTH]);
}
