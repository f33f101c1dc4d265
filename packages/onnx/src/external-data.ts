import type { Attribute } from './attributes.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, TrainingInfo } from './model.ts';

/** Where each tensor begins in the file: at pages of memory, so that a runtime can map the file instead of reading it. */
const ALIGNMENT = 4096;

/** Below this, a tensor stays in the model: shapes and axes, which tools want to read, are small. */
const DEFAULT_MINIMUM_BYTES = 1024;

export interface ExternalDataOptions {
  /** The file with the elements, relative to the folder of the model's file; no way out of that folder. */
  location: string;
  /** Tensors of fewer bytes stay in the model; default 1024. */
  minBytes?: number;
}

/** A model and the file beside it, as chunks to be written one after the other; none where no tensor is that large. */
export interface ExternalisedModel {
  model: OnnxModel;
  chunks: Uint8Array[];
}

/**
 * `model` with the elements of its larger initializers, those of subgraphs and of training information included, in another
 * file: the form for models beyond protobuf's 2 GiB (https://onnx.ai/onnx/repo-docs/ExternalData.html). Chunks are the
 * tensors' own memory with zeros in between. Tensors in attributes, strings, and what is external already stay as they are.
 * A location that is no plain relative path is a `RangeError`.
 */
export function externalise(
  model: OnnxModel,
  { location, minBytes = DEFAULT_MINIMUM_BYTES }: ExternalDataOptions,
): ExternalisedModel {
  if (location === '' || /^([/\\]|[a-z]:)|(^|[/\\])\.\.([/\\]|$)/i.test(location)) {
    throw new RangeError(`External data at "${location}"; expected a path below the folder of the model.`);
  }
  const file = new ExternalFile(location, minBytes);
  return { model: externalModel(model, file), chunks: file.chunks };
}

/** The file while it grows. */
class ExternalFile {
  readonly chunks: Uint8Array[] = [];
  readonly #location: string;
  readonly #minimumBytes: number;
  #length = 0;

  constructor(location: string, minimumBytes: number) {
    this.#location = location;
    this.#minimumBytes = minimumBytes;
  }

  readonly take = (tensor: OnnxTensor): OnnxTensor => {
    const { data, external, type } = tensor;
    if (external || type === 'string' || data.length < Math.max(1, this.#minimumBytes)) return tensor;
    const padding = (ALIGNMENT - (this.#length % ALIGNMENT)) % ALIGNMENT;
    if (padding > 0) this.chunks.push(new Uint8Array(padding));
    const offset = this.#length + padding;
    this.chunks.push(data);
    this.#length = offset + data.length;
    return {
      ...tensor,
      data: new Uint8Array(),
      external: { location: this.#location, offset: String(offset), length: String(data.length) },
    };
  };
}

function externalModel(model: OnnxModel, file: ExternalFile): OnnxModel {
  return {
    ...model,
    graph: externalGraph(model.graph, file),
    ...(model.trainingInfo && { trainingInfo: model.trainingInfo.map((info) => externalTraining(info, file)) }),
  };
}

function externalTraining(info: TrainingInfo, file: ExternalFile): TrainingInfo {
  return {
    ...info,
    ...(info.initialization && { initialization: externalGraph(info.initialization, file) }),
    ...(info.algorithm && { algorithm: externalGraph(info.algorithm, file) }),
  };
}

function externalGraph(graph: OnnxGraph, file: ExternalFile): OnnxGraph {
  return {
    ...graph,
    nodes: graph.nodes.map((node) => externalNode(node, file)),
    initializers: graph.initializers.map(file.take),
  };
}

function externalNode(node: OnnxNode, file: ExternalFile): OnnxNode {
  const attributes = Object.entries(node.attributes);
  if (!attributes.some(([, { type }]) => type === 'graph' || type === 'graphs')) return node;
  return {
    ...node,
    attributes: Object.fromEntries(attributes.map(([name, attribute]) => [name, externalAttribute(attribute, file)])),
  };
}

function externalAttribute(attribute: Attribute, file: ExternalFile): Attribute {
  if (attribute.type === 'graph') return { ...attribute, value: externalGraph(attribute.value, file) };
  if (attribute.type !== 'graphs') return attribute;
  return { ...attribute, value: attribute.value.map((graph) => externalGraph(graph, file)) };
}
