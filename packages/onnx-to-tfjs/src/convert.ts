import { type Dimension, type OnnxModel, opsetVersion } from '@atelier/onnx';
import { type SavedModel, savedModel } from './artifacts.ts';
import { Assembly } from './assemble.ts';
import { malformed, unsupported } from './errors.ts';

export interface ConvertOptions {
  /** The name of the model; default: the graph's. */
  name?: string;
}

/** An input or output of the graph, and of the model. */
export interface Port {
  /** In the graph. */
  name: string;
  /** The layer of the model. */
  layer: string;
  /** In the graph's order; null and names are open sizes. */
  onnxShape: readonly Dimension[];
  /** In the model's order, with the batch; null is open. */
  shape: readonly (number | null)[];
  /** Axis i of the model is axis `permutation[i]` of the graph: [0, 2, 3, 1] makes NHWC of NCHW. */
  permutation: readonly number[];
}

export interface Conversion {
  artifacts: SavedModel;
  summary: {
    inputs: readonly Port[];
    outputs: readonly Port[];
    /** How many layers of each class, by name; inputs are not counted. */
    layers: Record<string, number>;
    /** Elements of all weights. */
    parameters: number;
    opset: number;
    /** What a reader should know, a sentence each. */
    warnings: readonly string[];
  };
}

/** The first operator set whose nodes say themselves how they broadcast. */
const OLDEST_OPSET = 7;

/**
 * Converts an ONNX network to a LayersModel that can be trained on and computes what the graph computes, to the rounding of
 * float32. Images are channels last in the model: `permutation` of an input says how the graph had them. The input's first
 * axis is the batch, whatever size the file gives it. Something that no layer computes exactly is `unsupported-operator`, by
 * name; a graph that contradicts itself, or whose weights are in files that were not read, is `malformed-onnx`.
 */
export function convert(model: OnnxModel, options: ConvertOptions = {}): Conversion {
  const { graph } = model;
  const opset = opsetVersion(model);
  if (opset === undefined) throw malformed('The model names no standard operator set; expected one.');
  if (opset < OLDEST_OPSET) {
    throw unsupported(
      `The model is of opset ${opset}; supported: ${OLDEST_OPSET} and later. Convert it to a later one.`,
    );
  }
  const assembly = new Assembly(graph, opset);
  const { network, inputs, outputs } = assembly.built();
  const name = options.name ?? (graph.name || 'model');
  const { artifacts, layerNames } = savedModel({ name, network, inputs, outputs, producer: producerOf(model) });
  const layers = new Map<string, number>();
  for (const { className } of network.layers) {
    if (className !== 'InputLayer') layers.set(className, (layers.get(className) ?? 0) + 1);
  }
  const port = ({ name, onnxShape, shape, permutation, source }: (typeof inputs)[number]): Port => ({
    ...{ name, layer: layerNames.get(source.layer) ?? '', onnxShape, shape, permutation },
  });
  return {
    artifacts,
    summary: {
      inputs: inputs.map(port),
      outputs: outputs.map(port),
      layers: Object.fromEntries([...layers].sort(([first], [second]) => first.localeCompare(second))),
      parameters: artifacts.weightData.length / Float32Array.BYTES_PER_ELEMENT,
      opset,
      warnings: assembly.warnings,
    },
  };
}

function producerOf({ producerName, producerVersion }: OnnxModel): string {
  return `${producerName} ${producerVersion}`.trim();
}
