import { PUBLISHED_GRAPH } from '@atelier/domain';
import { encodeModel, float32Tensor, int, model, node } from '@atelier/onnx';
import { type NetworkRecipe, trainedName } from '../../network/parameters.ts';
import type { EngineState } from '../../training-engine.ts';
import { IMAGES, inferenceNetwork, OPSETS } from './network.ts';

/**
 * A trained network in a file of the form of a published model, straight from the engine's own graph: for teachers, whose
 * convolutions no tf.LayersModel of ours describes. A tensor that is missing is a `RangeError`.
 */
export function frozenNetwork(recipe: NetworkRecipe, { tensors }: Pick<EngineState, 'tensors'>): Uint8Array {
  const [image] = PUBLISHED_GRAPH.inputs;
  const [logits, probabilities] = PUBLISHED_GRAPH.outputs;
  const network = inferenceNetwork(recipe);
  const weights = network.inputs.filter(({ name }) => name !== IMAGES);
  return encodeModel(
    model(
      {
        ...network,
        name: recipe.name,
        nodes: [
          node('Flatten', [image.name], IMAGES, { axis: int(1) }),
          ...network.nodes,
          node('Softmax', [logits.name], probabilities.name, { axis: int(-1) }),
        ],
        inputs: PUBLISHED_GRAPH.inputs,
        outputs: PUBLISHED_GRAPH.outputs,
        initializers: [
          ...network.initializers,
          ...weights.map(({ name }) => {
            const tensor = tensors[trainedName(tensors, name)];
            if (tensor === undefined) throw new RangeError(`The state has no "${name}".`);
            return float32Tensor(name, tensor.shape, tensor.data);
          }),
        ],
      },
      OPSETS,
    ),
  );
}
