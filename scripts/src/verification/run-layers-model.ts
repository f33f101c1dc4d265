import { messageOf } from '@atelier/domain';
import type { LayersModelArtifacts } from '@atelier/tfjs-to-onnx';
import type { DataType, io, Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { NamedTensors, TensorValues } from './tensor-values.ts';
import { startTfjs, type TfjsBackend } from './tfjs-backend.ts';

/** TensorFlow.js refuses to load or to run a model. Says which, and its reason. */
export class RefusedByTfjs extends Error {}

/**
 * What `predict` of TensorFlow.js makes of `inputs`, which have the names of the model's inputs or are in their order; by the
 * names of its outputs, in their order. A model that it cannot load or run is `RefusedByTfjs`.
 */
export async function runLayersModel(
  artifacts: LayersModelArtifacts,
  inputs: readonly TensorValues[] | NamedTensors,
  backend: TfjsBackend = 'cpu',
): Promise<NamedTensors> {
  const { tf, loadLayersModel } = await startTfjs(backend);
  const network = await loadLayersModel({ load: async () => tfjsArtifacts(artifacts) }).catch((cause: unknown) => {
    throw refused('load', cause);
  });
  const given = inOrder(inputs, network.inputNames).map((values) => tf.tensor(...tfjsValues(values)));
  try {
    return predict(network, given);
  } catch (cause) {
    throw refused('run', cause);
  } finally {
    tf.dispose(given);
    network.dispose();
  }
}

/** A Sequential does not know the names of its inputs. */
function inOrder(inputs: readonly TensorValues[] | NamedTensors, names: readonly string[]): TensorValues[] {
  const byName = new Map(Object.entries(inputs));
  const named = names.flatMap((name) => byName.get(name) ?? []);
  return named.length === names.length && names.length > 0 ? named : Object.values(inputs);
}

function predict(network: LayersModel, inputs: Tensor[]): NamedTensors {
  // A model whose batch is fixed takes no other; one call with all rows, then.
  const batchSize = Math.max(1, inputs[0]?.shape[0] ?? 1);
  const predicted = network.predict(inputs, { batchSize });
  const outputs = Array.isArray(predicted) ? predicted : [predicted];
  const named = outputs.map((tensor, index): [string, TensorValues] => [
    // One layer may give several outputs, which then have one name.
    uniqueName(network.outputNames, index),
    { type: tensor.dtype as 'float32', shape: tensor.shape, data: tensor.dataSync() },
  ]);
  for (const tensor of outputs) tensor.dispose();
  return Object.fromEntries(named);
}

/** TensorFlow.js has three of the types; integers become int32 and other floats float32. */
function tfjsValues({ data, shape, type }: TensorValues): [Float32Array | Int32Array | Uint8Array, number[], DataType] {
  if (type === 'float32' || type === 'float64') return [Float32Array.from(data as Float64Array), [...shape], 'float32'];
  if (type === 'bool') return [data as Uint8Array, [...shape], 'bool'];
  return [Int32Array.from(Array.from(data, Number)), [...shape], 'int32'];
}

function uniqueName(names: readonly string[], index: number): string {
  const name = names[index] ?? `output ${index}`;
  return names.indexOf(name) === index ? name : `${name} (output ${index})`;
}

/** What an IOHandler's `load` gives. The topology is a copy, because TensorFlow.js may write to it. */
function tfjsArtifacts({ modelTopology, weightSpecs, weightData, format }: LayersModelArtifacts): io.ModelArtifacts {
  return {
    modelTopology: structuredClone(modelTopology) as object,
    weightSpecs: structuredClone(weightSpecs ?? []) as io.WeightsManifestEntry[],
    weightData: buffers(weightData),
    ...(format !== undefined && { format }),
  };
}

function buffers(data: LayersModelArtifacts['weightData']): ArrayBuffer[] {
  if (data === undefined) return [];
  const parts: readonly (Uint8Array | ArrayBuffer)[] = Array.isArray(data) ? data : [data as Uint8Array | ArrayBuffer];
  return parts.map((part) => (part instanceof ArrayBuffer ? part : new Uint8Array(part).buffer));
}

function refused(what: 'load' | 'run', cause: unknown): RefusedByTfjs {
  const [reason = ''] = messageOf(cause).split('\n', 1);
  const short = reason.length > 300 ? `${reason.slice(0, 300)}…` : reason;
  return new RefusedByTfjs(`TensorFlow.js cannot ${what} this model (${short})`, { cause });
}
