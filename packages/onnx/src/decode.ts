import { fromBinary } from '@bufbuild/protobuf';
import { DomainError, messageOf } from '@atelier/domain';
import { type Attribute, exactInteger } from './attributes.ts';
import { areFullyHeld, readEntries } from './entries.ts';
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
  type TrainingInfoProto,
  TrainingInfoProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './generated/onnx_pb.js';
import type { OnnxGraph, OnnxModel, OnnxNode, OnnxValue, TrainingInfo } from './model.ts';
import { remainderOf } from './remainder.ts';
import { readTensor } from './read-tensor.ts';
import { isFullyHeld, readType } from './value-types.ts';

/**
 * The model in `bytes`, which came from `place` (a path, say). Elements of tensors are views of `bytes`. What is not a
 * model, and a model whose parts contradict each other, is `malformed-onnx`, saying what and where. That operators
 * exist and types fit is not checked here: a runtime does that.
 */
export function decodeModel(bytes: Uint8Array, place: string): OnnxModel {
  // A Node Buffer would make Buffers of all tensors' data.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    return modelOf(fromBinary(ModelProtoSchema, plain));
  } catch (cause) {
    throw new DomainError('malformed-onnx', `${place} is no valid ONNX model: ${messageOf(cause)}.`, { cause });
  }
}

function modelOf(message: ModelProto): OnnxModel {
  if (!message.graph) throw new Error('it has no graph');
  return {
    irVersion: within('ir_version', () => exactNumber(message.irVersion)),
    opsetImports: message.opsetImport.map((entry) => ({
      domain: entry.domain,
      version: within('opset_import', () => exactNumber(entry.version)),
      ...withRest(remainderOf(OperatorSetIdProtoSchema, entry, ['domain', 'version'])),
    })),
    producerName: message.producerName,
    producerVersion: message.producerVersion,
    metadata: readEntries(message.metadataProps),
    graph: graphOf(message.graph),
    ...(message.trainingInfo.length === 0 ? {} : { trainingInfo: message.trainingInfo.map(trainingInfoOf) }),
    ...withRest(
      remainderOf(ModelProtoSchema, message, [
        'irVersion',
        'opsetImport',
        'producerName',
        'producerVersion',
        'graph',
        'trainingInfo',
        ...(areFullyHeld(message.metadataProps) ? (['metadataProps'] as const) : []),
      ]),
    ),
  };
}

function trainingInfoOf(message: TrainingInfoProto, index: number): TrainingInfo {
  const { initialization, algorithm, initializationBinding, updateBinding } = message;
  return within(`training_info ${index}`, () => ({
    ...(initialization && { initialization: graphOf(initialization) }),
    ...(algorithm && { algorithm: graphOf(algorithm) }),
    initializationBinding: readEntries(initializationBinding),
    updateBinding: readEntries(updateBinding),
    ...withRest(
      remainderOf(TrainingInfoProtoSchema, message, [
        'initialization',
        'algorithm',
        ...(areFullyHeld(initializationBinding) ? (['initializationBinding'] as const) : []),
        ...(areFullyHeld(updateBinding) ? (['updateBinding'] as const) : []),
      ]),
    ),
  }));
}

function graphOf(message: GraphProto): OnnxGraph {
  return within(`graph "${message.name}"`, () => ({
    name: message.name,
    nodes: message.node.map(nodeOf),
    inputs: message.input.map(valueOf),
    outputs: message.output.map(valueOf),
    initializers: message.initializer.map((tensor) => within(`initializer "${tensor.name}"`, () => readTensor(tensor))),
    values: message.valueInfo.map(valueOf),
    ...withRest(
      remainderOf(GraphProtoSchema, message, ['name', 'node', 'input', 'output', 'initializer', 'valueInfo']),
    ),
  }));
}

function nodeOf(message: NodeProto): OnnxNode {
  const { opType, name, domain, input, output, attribute } = message;
  return within(`${opType} node "${name}"`, () => {
    const attributes = attribute.map((entry): [string, Attribute] => [
      entry.name,
      within(`attribute "${entry.name}"`, () => attributeOf(entry)),
    ]);
    const names = new Set(attributes.map(([key]) => key));
    if (names.size !== attributes.length) throw new Error('it has two attributes of one name');
    return {
      opType,
      name,
      domain,
      inputs: input,
      outputs: output,
      attributes: Object.fromEntries(attributes),
      ...withRest(remainderOf(NodeProtoSchema, message, ['opType', 'name', 'domain', 'input', 'output', 'attribute'])),
    };
  });
}

/** Where each type of attribute keeps its value, and how it is read; undefined when it is not one that we hold. */
const ATTRIBUTE_READERS: Partial<
  Record<AttributeType, [field: keyof AttributeProto, read: (message: AttributeProto) => Attribute | undefined]>
> = {
  [AttributeType.FLOAT]: ['f', ({ f }) => ({ type: 'float', value: f })],
  [AttributeType.INT]: ['i', ({ i }) => ({ type: 'int', value: exactInteger(i) })],
  [AttributeType.STRING]: [
    's',
    ({ s }) => {
      const [value] = texts([s]) ?? [];
      return value === undefined ? undefined : { type: 'string', value };
    },
  ],
  [AttributeType.TENSOR]: ['t', ({ t }) => t && { type: 'tensor', value: readTensor(t) }],
  [AttributeType.GRAPH]: ['g', ({ g }) => g && { type: 'graph', value: graphOf(g) }],
  [AttributeType.FLOATS]: ['floats', ({ floats }) => ({ type: 'floats', value: floats })],
  [AttributeType.INTS]: ['ints', ({ ints }) => ({ type: 'ints', value: ints.map(exactInteger) })],
  [AttributeType.STRINGS]: [
    'strings',
    ({ strings }) => {
      const value = texts(strings);
      return value && { type: 'strings', value };
    },
  ],
  [AttributeType.TENSORS]: ['tensors', ({ tensors }) => ({ type: 'tensors', value: tensors.map(readTensor) })],
  [AttributeType.GRAPHS]: ['graphs', ({ graphs }) => ({ type: 'graphs', value: graphs.map(graphOf) })],
};

function attributeOf(message: AttributeProto): Attribute {
  const [field, read] = ATTRIBUTE_READERS[message.refAttrName ? AttributeType.UNDEFINED : typeOf(message)] ?? [];
  const attribute = read?.(message);
  if (!attribute || !field) return { type: 'other', ...withRest(remainderOf(AttributeProtoSchema, message, ['name'])) };
  return { ...attribute, ...withRest(remainderOf(AttributeProtoSchema, message, ['name', 'type', field])) };
}

/** The first IR version had no type field: there, the one value that is set says it. */
function typeOf(message: AttributeProto): AttributeType {
  if (message.type !== AttributeType.UNDEFINED) return message.type;
  const set = Object.entries(ATTRIBUTE_READERS).find(([, [field]]) => {
    const content: unknown = Object.hasOwn(message, field) ? message[field] : undefined;
    return Array.isArray(content) ? content.length > 0 : content !== undefined;
  });
  return set ? Number(set[0]) : AttributeType.UNDEFINED;
}

function valueOf(message: ValueInfoProto): OnnxValue {
  return within(`value "${message.name}"`, () => {
    const held =
      message.type === undefined || isFullyHeld(message.type) ? (['name', 'type'] as const) : (['name'] as const);
    return {
      name: message.name,
      ...readType(message.type),
      ...withRest(remainderOf(ValueInfoProtoSchema, message, held)),
    };
  });
}

/** The texts in UTF-8 byte strings; undefined when one is something else. */
function texts(contents: readonly Uint8Array[]): string[] | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    return contents.map((bytes) => decoder.decode(bytes));
  } catch {
    return undefined;
  }
}

function exactNumber(integer: bigint): number {
  const number = Number(integer);
  if (Number.isSafeInteger(number)) return number;
  throw new Error(`${integer} is beyond 2⁵³ − 1`);
}

function withRest<Message>(rest: Message | undefined): { rest?: Message } {
  return rest === undefined ? {} : { rest };
}

/** Runs `read` and says in front of its error where it happened. */
function within<Result>(where: string, read: () => Result): Result {
  try {
    return read();
  } catch (cause) {
    throw new Error(`${where}: ${messageOf(cause)}`, { cause });
  }
}
