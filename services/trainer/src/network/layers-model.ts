import type { Recipe } from '@atelier/domain';
import { weightBytes, type WeightSpec } from '@atelier/tfjs-to-onnx';
import type { EngineState } from '../training-engine.ts';
import { networkTensors, trainedName } from './parameters.ts';
import { layersTopology } from './topology.ts';

/** What a tf.LayersModel is saved as. */
export interface TrainedLayersModel {
  modelTopology: object;
  weightSpecs: readonly WeightSpec[];
  /** Little-endian float32, one weight after the other. */
  weightData: Uint8Array;
  generatedBy: string;
}

/**
 * A trained network as a tf.LayersModel, which TensorFlow.js loads as if it had saved it: raw pixels 0 to 255,
 * [batch, 28, 28], in; logits out. Where `tensors` has the moving average of a parameter, that is what is saved. A tensor
 * that is missing or of another shape is a `RangeError`.
 */
export function layersModel(recipe: Recipe, { tensors }: Pick<EngineState, 'tensors'>): TrainedLayersModel {
  const weights = networkTensors(recipe).map(({ name, shape }) => {
    const source = trainedName(tensors, name);
    const tensor = tensors[source];
    if (tensor?.shape.join() !== shape.join()) {
      const found = tensor === undefined ? 'is missing' : `has shape [${tensor.shape.join()}]`;
      throw new RangeError(`"${source}" ${found}; expected [${shape.join()}].`);
    }
    return { name, shape, data: tensor.data };
  });
  return {
    modelTopology: layersTopology(recipe),
    weightSpecs: weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
    weightData: weightBytes(weights.map(({ data }) => data)),
    generatedBy: 'Atelier',
  };
}
