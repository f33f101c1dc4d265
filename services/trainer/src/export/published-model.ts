import { PUBLISHED_GRAPH } from '@atelier/domain';
import { encodeModel, int, node, type OnnxGraph, type OnnxModel } from '@atelier/onnx';
import { convert, type LayersModelArtifacts } from '@atelier/tfjs-to-onnx';

/** ONNX's number for float32 in Cast (TensorProto.DataType). */
const FLOAT32 = 1;

/**
 * `model.onnx` of a trained LayersModel: the converted network between a Cast of the uint8 image and a Softmax, with the
 * names, types and shapes that PUBLISHED_GRAPH promises. `metadata` goes into the file.
 */
export function publishedModel(artifacts: LayersModelArtifacts, metadata: Record<string, string>): Uint8Array {
  const { model } = convert(artifacts);
  return encodeModel(withPublishedEdges(model, metadata));
}

function withPublishedEdges(model: OnnxModel, metadata: Record<string, string>): OnnxModel {
  const [image] = PUBLISHED_GRAPH.inputs;
  const [logits, probabilities] = PUBLISHED_GRAPH.outputs;
  const [input] = model.graph.inputs;
  const [output] = model.graph.outputs;
  if (input === undefined || output === undefined) throw new Error('The converted model has no input or no output.');
  const network = renamed(model.graph, output.name, logits.name);
  return {
    ...model,
    metadata: { ...model.metadata, ...metadata },
    graph: {
      ...network,
      inputs: PUBLISHED_GRAPH.inputs.map((value) => ({ ...value })),
      outputs: PUBLISHED_GRAPH.outputs.map((value) => ({ ...value })),
      nodes: [
        node('Cast', [image.name], [input.name], { to: int(FLOAT32) }),
        ...network.nodes,
        node('Softmax', [logits.name], [probabilities.name], { axis: int(-1) }),
      ],
    },
  };
}

/** The graph with one of its values renamed. */
function renamed(graph: OnnxGraph, from: string, to: string): OnnxGraph {
  const rename = (names: readonly string[]) => names.map((name) => (name === from ? to : name));
  return {
    ...graph,
    nodes: graph.nodes.map((each) => ({ ...each, inputs: rename(each.inputs), outputs: rename(each.outputs) })),
  };
}
