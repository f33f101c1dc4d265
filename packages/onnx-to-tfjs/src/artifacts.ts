import { type LayersModelArtifacts, type WeightSpec, weightBytes } from '@atelier/tfjs-to-onnx';
import type { NetworkPort } from './assemble.ts';
import { callNumbers } from './call-order.ts';
import { uniqueNames } from './layer-names.ts';
import type { LayerOutput, Network, NetworkLayer } from './network.ts';

/** What `tf.loadLayersModel` takes from memory, and what `writeLayersModel` writes. */
export type SavedModel = Omit<LayersModelArtifacts, 'weightData'> & {
  modelTopology: object;
  weightSpecs: readonly WeightSpec[];
  /** Little-endian float32, one weight after the other. */
  weightData: Uint8Array;
  format: string;
  /** Where the model came from, and how its axes stand to the graph's. */
  userDefinedMetadata: Record<string, unknown>;
};

interface Source {
  name: string;
  network: Network;
  inputs: readonly NetworkPort[];
  outputs: readonly NetworkPort[];
  /** Who made the ONNX file, as it says. */
  producer: string;
}

/** Whose form of topology this is; TensorFlow.js writes its own version here, and readers look for Keras 3. */
const KERAS_VERSION = 'tfjs-layers 4.22.0';

/** The layers as TensorFlow.js saves them: as a Sequential where each takes the one before, else as a functional model. */
export function savedModel(source: Source): { artifacts: SavedModel; layerNames: ReadonlyMap<NetworkLayer, string> } {
  const { network, inputs, outputs, producer } = source;
  const names = uniqueNames(network.layers.map(({ name }) => name));
  const layerNames = new Map(network.layers.map((layer, index) => [layer, names[index] ?? '']));
  const nameOf = (layer: NetworkLayer) => layerNames.get(layer) ?? '';
  const model = isSequential(source) ? sequential(source, nameOf) : functional(source, nameOf);
  const weights = network.layers.flatMap((layer) =>
    Object.entries(layer.weights).map(([part, { shape, values }]) => ({
      spec: { name: `${nameOf(layer)}/${part}`, shape: [...shape], dtype: 'float32' },
      values,
    })),
  );
  const permutations = (ports: readonly NetworkPort[]) =>
    ports.map(({ name, onnxShape, permutation, source }) => ({
      ...{ name, layer: nameOf(source.layer), onnxShape, permutation },
    }));
  return {
    layerNames,
    artifacts: {
      format: 'layers-model',
      generatedBy: 'Atelier onnx-to-tfjs',
      convertedBy: null,
      modelTopology: { ...model, keras_version: KERAS_VERSION, backend: 'tensor_flow.js' },
      weightSpecs: weights.map(({ spec }) => spec),
      weightData: weightBytes(weights.map(({ values }) => values)),
      userDefinedMetadata: {
        onnx: { producer, inputs: permutations(inputs), outputs: permutations(outputs) },
      },
    },
  };
}

function isSequential({ network, inputs, outputs }: Source): boolean {
  const [first, ...rest] = network.layers;
  const isChain = rest.every(({ calls: [call, more] }, index) => {
    return more === undefined && call?.length === 1 && call[0]?.layer === (network.layers[index] ?? first);
  });
  return isChain && inputs.length === 1 && outputs.length === 1 && outputs[0]?.source.layer === network.layers.at(-1);
}

type NameOf = (layer: NetworkLayer) => string;

function entry({ className, config }: NetworkLayer, name: string) {
  return { class_name: className, config: { name, trainable: true, ...config } };
}

function sequential({ name, network }: Source, nameOf: NameOf) {
  const layers = network.layers.map((layer) => entry(layer, nameOf(layer)));
  return { class_name: 'Sequential', config: { name: modelName(name), layers } };
}

function functional({ name, network, inputs, outputs }: Source, nameOf: NameOf) {
  const numberOf = callNumbers(network.layers);
  const reference = (output: LayerOutput) => [nameOf(output.layer), numberOf(output), 0];
  const inOrder = (layer: NetworkLayer) =>
    layer.calls
      .map((inputs, call) => ({ inputs, number: numberOf({ layer, call }) }))
      .sort((one, other) => one.number - other.number);
  const layers = network.layers.map((layer) => ({
    name: nameOf(layer),
    ...entry(layer, nameOf(layer)),
    inbound_nodes: inOrder(layer).map(({ inputs: taken }) => taken.map((input) => [...reference(input), {}])),
  }));
  const config = {
    name: modelName(name),
    layers,
    input_layers: inputs.map(({ source }) => reference(source)),
    output_layers: outputs.map(({ source }) => reference(source)),
  };
  return { class_name: 'Model', config };
}

function modelName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9_]/g, '_').replace(/^_+/, '') || 'model';
}
