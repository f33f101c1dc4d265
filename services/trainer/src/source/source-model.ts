import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { DomainError, messageOf, PUBLISHED_GRAPH, type Recipe } from '@atelier/domain';
import { digestOf } from '@atelier/model-repository';
import { decodeModel, type OnnxModel } from '@atelier/onnx';
import { subgraph } from '@atelier/onnx-training';
import { convert } from '@atelier/onnx-to-tfjs';
import { readOnnxModel } from '@atelier/onnx-to-tfjs/node';
import type { TensorData } from '../network/initial-weights.ts';
import type { EngineState, TrainingEngine } from '../training-engine.ts';
import { AVERAGE_PREFIX } from '../network/parameters.ts';
import { layerChain } from './layer-chain.ts';
import { matchedTensors } from './match-layers.ts';
import { networkSteps } from './network-steps.ts';

/** A trained model that a training goes on from in place of drawn weights. */
export interface SourceModel {
  /** The file's name, without its path: where it lay on somebody's machine says nothing of the model. */
  file: string;
  /** Of the file, and of the weights that it keeps in other files, one after the other behind it. */
  digest: string;
  /** Parameters and running statistics of the recipe's network, by their names in an engine's state. */
  tensors: Readonly<Record<string, TensorData>>;
}

/**
 * The model at `path` as weights of the recipe's network. `malformed-onnx` and `unsupported-operator` as its converter says;
 * `source-mismatch` where the two networks differ, with the layer, what was expected and what was found.
 */
export async function readSourceModel(path: string, recipe: Recipe): Promise<SourceModel> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new DomainError('malformed-onnx', `${path} cannot be read: ${messageOf(cause)}.`, { cause });
  });
  const file = basename(path);
  const model = await readOnnxModel(path);
  const layers = layerChain(convert(networkOf(model)).artifacts, file);
  const digest = digestOf(Buffer.concat([bytes, ...weightsInOtherFiles(bytes, model)]));
  return { file, digest, tensors: matchedTensors(networkSteps(recipe), layers, file) };
}

/** What a version computes behind its logits, such as outlier scores, is nothing that training goes on from. */
function networkOf(model: OnnxModel): OnnxModel {
  const isVersion = model.graph.outputs.some(({ name }) => name === LOGITS);
  return isVersion ? { ...model, graph: subgraph(model.graph, [LOGITS]) } : model;
}

const LOGITS = PUBLISHED_GRAPH.outputs[0].name;

/** The elements of the tensors that the file in `bytes` only names, as `model` has them. */
function weightsInOtherFiles(bytes: Uint8Array, { graph }: OnnxModel): Uint8Array[] {
  const outside = decodeModel(bytes, 'the source').graph.initializers.filter(({ external }) => external);
  const names = new Set(outside.map(({ name }) => name));
  return graph.initializers.filter(({ name }) => names.has(name)).map(({ data }) => data);
}

/** Puts the weights of `source` into an engine that has not trained yet; averages of weights begin with them. */
export async function beginFrom(engine: TrainingEngine, { tensors }: SourceModel): Promise<EngineState> {
  const fresh = await engine.snapshot();
  const begun = Object.entries(fresh.tensors).map(([name, tensor]) => {
    const parameter = name.startsWith(AVERAGE_PREFIX) ? name.slice(AVERAGE_PREFIX.length) : name;
    return [name, tensors[parameter] ?? tensor] as const;
  });
  const state = { ...fresh, tensors: Object.fromEntries(begun) };
  await engine.restore(state);
  return state;
}
