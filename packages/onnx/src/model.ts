import type {
  AttributeProto,
  GraphProto,
  ModelProto,
  NodeProto,
  OperatorSetIdProto,
  TensorProto,
  TrainingInfoProto,
  ValueInfoProto,
} from './generated/onnx_pb.js';
import { type Attribute, type AttributeSource, string } from './attributes.ts';
import type { DataType } from './data-types.ts';
import { DEFAULT_IR_VERSION, DEFAULT_OPSET } from './versions.ts';

/**
 * What a file said beyond the fields that we hold: documentation, quantisation annotations, fields of later versions. Set by `decodeModel` only, where there is any; `encodeModel` writes it back beside our fields.
 */
interface Remainder<Message extends RemainderMessage> {
  readonly rest?: Message;
}
type RemainderMessage =
  | AttributeProto
  | GraphProto
  | ModelProto
  | NodeProto
  | OperatorSetIdProto
  | TensorProto
  | TrainingInfoProto
  | ValueInfoProto;

export interface OnnxModel extends Remainder<ModelProto> {
  irVersion: number;
  opsetImports: readonly OpsetImport[];
  producerName: string;
  producerVersion: string;
  /** `metadata_props`: free text by key. */
  metadata: Readonly<Record<string, string>>;
  graph: OnnxGraph;
  /** How the model is trained; absent, or empty, in one that says nothing of it (`training_info`, IR version 7). */
  trainingInfo?: readonly TrainingInfo[];
}

/**
 * A training step of a model (`TrainingInfoProto`). It runs as one graph, the model's own followed by `algorithm`: the
 * names of both are one space, and nodes of the algorithm may take values of the model's graph. Runtimes for inference
 * pass over it.
 */
export interface TrainingInfo extends Remainder<TrainingInfoProto> {
  /** Computes what training begins with; without inputs. Absent when the initializers are that already. */
  initialization?: OnnxGraph;
  algorithm?: OnnxGraph;
  /** By the name of an initializer of the model's graph or of the algorithm, the output of `initialization` that becomes it. */
  initializationBinding: Readonly<Record<string, string>>;
  /** The same for an output of the model's graph or of the algorithm, after each step. */
  updateBinding: Readonly<Record<string, string>>;
}

/** An operator set that the nodes speak; the standard one has domain `''`. */
export interface OpsetImport extends Remainder<OperatorSetIdProto> {
  domain: string;
  version: number;
}

/** Nodes in execution order. Values are known by name, and each name is given once. */
export interface OnnxGraph extends Remainder<GraphProto> {
  name: string;
  nodes: readonly OnnxNode[];
  inputs: readonly OnnxValue[];
  outputs: readonly OnnxValue[];
  /** Constants. One that shares its name with an input is that input's default. */
  initializers: readonly OnnxTensor[];
  /** Types of values in between, as far as they are written down (`value_info`). */
  values: readonly OnnxValue[];
}

export interface OnnxNode extends Remainder<NodeProto> {
  opType: string;
  name: string;
  /** `''` for operators of the standard set. */
  domain: string;
  /** `''` leaves an optional input out. */
  inputs: readonly string[];
  /** `''` leaves an optional output out. */
  outputs: readonly string[];
  attributes: Readonly<Record<string, Attribute>>;
}

/** A size, the name of a size that is only known at run time, or null for one without even a name. */
export type Dimension = number | string | null;

export interface OnnxValue extends Remainder<ValueInfoProto> {
  name: string;
  /** `other` is a sequence, a map, an optional, a sparse tensor or no type at all; it is written back as it came. */
  type: DataType | 'other';
  /** Null when the rank is unknown. */
  shape: readonly Dimension[] | null;
}

export interface OnnxTensor extends Remainder<TensorProto> {
  name: string;
  type: DataType;
  shape: readonly number[];
  /** Elements, row-major and little-endian, at any alignment; empty for strings and for external data. */
  data: Uint8Array;
  /** Elements of a `string` tensor, usually UTF-8. */
  strings?: readonly Uint8Array[];
  /** The elements are in another file: keys `location`, `offset`, `length`, `checksum`. We never open it. */
  external?: Readonly<Record<string, string>>;
}

/** A model of `graph`; what is left out is the default opset and IR version, no producer and no metadata. */
export function model(graph: OnnxGraph, options: Partial<Omit<OnnxModel, 'graph'>> = {}): OnnxModel {
  return {
    irVersion: DEFAULT_IR_VERSION,
    opsetImports: [{ domain: '', version: DEFAULT_OPSET }],
    producerName: '',
    producerVersion: '',
    metadata: {},
    ...options,
    graph,
  };
}

/**
 * A node of the standard operator set, named after its first output. A plain string is a string attribute; a number
 * must say which of ONNX's two it is: `int(1)` or `float(1)`.
 */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: Readonly<Record<string, AttributeSource>> = {},
): OnnxNode {
  const outputNames = typeof outputs === 'string' ? [outputs] : outputs;
  return {
    opType,
    name: outputNames.find((name) => name !== '') ?? '',
    domain: '',
    inputs,
    outputs: outputNames,
    attributes: Object.fromEntries(
      Object.entries(attributes).map(([name, value]) => [name, typeof value === 'string' ? string(value) : value]),
    ),
  };
}

/** A value of tensor type; `shape` is null when the rank is unknown. */
export function value(name: string, type: DataType, shape: readonly Dimension[] | null): OnnxValue {
  return { name, type, shape };
}

/** The version of an operator set that `model` speaks, or undefined; `''` and `ai.onnx` are the standard set. */
export function opsetVersion({ opsetImports }: OnnxModel, domain = ''): number | undefined {
  const plain = (name: string) => (name === 'ai.onnx' ? '' : name);
  return opsetImports.find((entry) => plain(entry.domain) === plain(domain))?.version;
}
