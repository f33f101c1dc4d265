import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Attribute } from './attributes.ts';
import { byteCount, DATA_TYPES, elementCount } from './data-types.ts';
import { writeEntries } from './entries.ts';
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  OperatorSetIdProtoSchema,
  type TensorProto,
  TensorProto_DataLocation as DataLocation,
  TensorProtoSchema,
  type TrainingInfoProto,
  TrainingInfoProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.js';
import { joined, messageChunks } from './message-chunks.ts';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue, TrainingInfo } from './model.ts';
import { completed } from './remainder.ts';
import { isUnchanged, writeType } from './value-types.ts';

/**
 * The bytes of a model file, below protobuf's limit of 2 GiB. Names that are empty are left out. A tensor whose data
 * does not fit its shape, or a number that its field cannot hold, is an error. `encodeModelChunks` copies less.
 */
export function encodeModel(model: OnnxModel): Uint8Array {
  return joined(encodeModelChunks(model));
}

/**
 * The same as chunks, to be written one after the other. The data of tensors from 16 KiB on, subgraphs' too, are chunks
 * as they are, not copied: they must stay unchanged until the chunks are written. What is larger than 2 GiB is a
 * `RangeError`; see `externalise`.
 */
export function encodeModelChunks(model: OnnxModel): Uint8Array[] {
  return messageChunks(ModelProtoSchema, modelMessage(model));
}

function modelMessage(model: OnnxModel): ModelProto {
  return completed(
    ModelProtoSchema,
    {
      irVersion: BigInt(model.irVersion),
      opsetImport: model.opsetImports.map(({ domain, version, rest }) =>
        completed(OperatorSetIdProtoSchema, { ...text('domain', domain), version: BigInt(version) }, rest),
      ),
      ...text('producerName', model.producerName),
      ...text('producerVersion', model.producerVersion),
      metadataProps: writeEntries(model.metadata, model.rest?.metadataProps),
      graph: graphMessage(model.graph),
      trainingInfo: (model.trainingInfo ?? []).map(trainingInfoMessage),
    },
    // Entries that were taken out must not come back.
    model.rest && { ...model.rest, metadataProps: [] },
  );
}

function trainingInfoMessage(info: TrainingInfo): TrainingInfoProto {
  const { initialization, algorithm, initializationBinding, updateBinding, rest } = info;
  const fields = {
    ...(initialization && { initialization: graphMessage(initialization) }),
    ...(algorithm && { algorithm: graphMessage(algorithm) }),
    initializationBinding: writeEntries(initializationBinding, rest?.initializationBinding),
    updateBinding: writeEntries(updateBinding, rest?.updateBinding),
  };
  return completed(TrainingInfoProtoSchema, fields, rest && { ...rest, initializationBinding: [], updateBinding: [] });
}

function graphMessage(graph: OnnxGraph): GraphProto {
  const fields = {
    ...text('name', graph.name),
    node: graph.nodes.map(nodeMessage),
    input: graph.inputs.map(valueMessage),
    output: graph.outputs.map(valueMessage),
    initializer: graph.initializers.map(tensorMessage),
    valueInfo: graph.values.map(valueMessage),
  };
  return completed(GraphProtoSchema, fields, graph.rest);
}

function nodeMessage({ opType, name, domain, inputs, outputs, attributes, rest }: OnnxNode): NodeProto {
  const fields = {
    opType,
    ...text('name', name),
    ...text('domain', domain),
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([key, attribute]) => attributeMessage(key, attribute)),
  };
  return completed(NodeProtoSchema, fields, rest);
}

function attributeMessage(name: string, attribute: Attribute): AttributeProto {
  return completed(AttributeProtoSchema, { name, ...attributeFields(attribute) }, attribute.rest);
}

function attributeFields(attribute: Attribute): MessageInitShape<typeof AttributeProtoSchema> {
  const encoder = new TextEncoder();
  switch (attribute.type) {
    case 'float':
      return { type: AttributeType.FLOAT, f: attribute.value };
    case 'int':
      return { type: AttributeType.INT, i: BigInt(attribute.value) };
    case 'string':
      return { type: AttributeType.STRING, s: encoder.encode(attribute.value) };
    case 'tensor':
      return { type: AttributeType.TENSOR, t: tensorMessage(attribute.value) };
    case 'graph':
      return { type: AttributeType.GRAPH, g: graphMessage(attribute.value) };
    case 'floats':
      return { type: AttributeType.FLOATS, floats: [...attribute.value] };
    case 'ints':
      return { type: AttributeType.INTS, ints: attribute.value.map(BigInt) };
    case 'strings':
      return { type: AttributeType.STRINGS, strings: attribute.value.map((value) => encoder.encode(value)) };
    case 'tensors':
      return { type: AttributeType.TENSORS, tensors: attribute.value.map(tensorMessage) };
    case 'graphs':
      return { type: AttributeType.GRAPHS, graphs: attribute.value.map(graphMessage) };
    case 'other':
      return {};
  }
}

function valueMessage(value: OnnxValue): ValueInfoProto {
  const original = value.rest?.type;
  const type = original && isUnchanged(value, original) ? original : writeType(value);
  return completed(ValueInfoProtoSchema, { ...text('name', value.name), ...(type && { type }) }, value.rest);
}

function tensorMessage(tensor: OnnxTensor): TensorProto {
  const { name, type, shape, rest } = tensor;
  const fields = { ...text('name', name), dataType: DATA_TYPES[type].code, dims: shape.map(BigInt) };
  return completed(TensorProtoSchema, { ...fields, ...tensorElements(tensor) }, rest && { ...rest, externalData: [] });
}

function tensorElements(tensor: OnnxTensor): MessageInitShape<typeof TensorProtoSchema> {
  const { name, type, shape, data, strings, external, rest } = tensor;
  if (external) {
    return { dataLocation: DataLocation.EXTERNAL, externalData: writeEntries(external, rest?.externalData) };
  }
  const [found, expected] =
    type === 'string' ? [strings?.length ?? 0, elementCount(shape)] : [data.length, byteCount(type, shape)];
  if (found !== expected && !rest?.segment) {
    const unit = type === 'string' ? 'strings' : 'bytes';
    throw new RangeError(
      `Tensor "${name}" has ${found} ${unit}; ${type} of shape [${shape.join(', ')}] takes ${expected}.`,
    );
  }
  return type === 'string' ? { stringData: [...(strings ?? [])] } : { rawData: data };
}

/** A field that is written only where it says something. */
function text<Key extends string>(key: Key, content: string): Partial<Record<Key, string>> {
  return content === '' ? {} : ({ [key]: content } as Record<Key, string>);
}
