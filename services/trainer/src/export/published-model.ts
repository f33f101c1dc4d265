import { PUBLISHED_GRAPH } from '@atelier/domain';
import { int, node, type OnnxModel } from '@atelier/onnx';
import { convert } from '@atelier/tfjs-to-onnx';
import type { TrainedLayersModel } from '../network/layers-model.ts';

/** ONNX's number for float32 in Cast (TensorProto.DataType). */
const FLOAT32 = 1;

/**
 * The published graph of a trained LayersModel: the converted network between a Cast of the uint8 image and a Softmax, with
 * the names, types and shapes that PUBLISHED_GRAPH promises. `metadata` goes into the file.
 */
export function publishedModel(trained: TrainedLayersModel, metadata: Record<string, string>): OnnxModel {
  const [image] = PUBLISHED_GRAPH.inputs;
  const [logits, probabilities] = PUBLISHED_GRAPH.outputs;
  const { model, summary } = convert(trained);
  const [input] = summary.inputs;
  const [output] = summary.outputs;
  if (input === undefined || output?.name !== logits.name) {
    throw new Error(
      `The network ends in "${output?.name ?? 'nothing'}"; expected its last layer to be "${logits.name}".`,
    );
  }
  return {
    ...model,
    metadata: { ...model.metadata, ...metadata },
    graph: {
      ...model.graph,
      inputs: PUBLISHED_GRAPH.inputs,
      outputs: PUBLISHED_GRAPH.outputs,
      nodes: [
        node('Cast', [image.name], input.name, { to: int(FLOAT32) }),
        ...model.graph.nodes,
        node('Softmax', [logits.name], probabilities.name, { axis: int(-1) }),
      ],
    },
  };
}
