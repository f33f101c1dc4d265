import { create, toBinary, type MessageInitShape } from '@bufbuild/protobuf';
import { DATA_TYPES, dataTypeOf } from './data-types.ts';
import {
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  type TypeProto,
  TypeProtoSchema,
} from './generated/onnx_pb.js';
import type { Dimension, OnnxValue } from './model.ts';

type PlainType = Pick<OnnxValue, 'type' | 'shape'>;

/** Type and shape of a value; everything but a tensor of a known element type is `other`. */
export function readType(source: TypeProto | undefined): PlainType {
  const tensor = source?.value.case === 'tensorType' ? source.value.value : undefined;
  const type = dataTypeOf(tensor?.elemType ?? 0);
  if (!tensor || !type) return { type: 'other', shape: null };
  return { type, shape: tensor.shape ? tensor.shape.dim.map(readDimension) : null };
}

export function writeType({ type, shape }: PlainType): TypeProto | undefined {
  if (type === 'other') return undefined;
  const elemType = DATA_TYPES[type].code;
  const value = shape ? { elemType, shape: { dim: shape.map(writeDimension) } } : { elemType };
  return create(TypeProtoSchema, { value: { case: 'tensorType', value } });
}

/** True when type and shape say everything that `source` does: no denotations, no other kind, no unknown fields. */
export function isFullyHeld(source: TypeProto): boolean {
  const written = writeType(readType(source));
  const bytes = (message: TypeProto) => toBinary(TypeProtoSchema, message).join();
  return written !== undefined && bytes(written) === bytes(source);
}

/** True when the value still has the type and shape that it was read with from `source`. */
export function isUnchanged(value: PlainType, source: TypeProto): boolean {
  const { type, shape } = readType(source);
  return type === value.type && JSON.stringify(shape) === JSON.stringify(value.shape);
}

function readDimension({ value }: TensorShapeProto_Dimension): Dimension {
  if (value.case === 'dimParam') return value.value;
  if (value.case === undefined) return null;
  const size = Number(value.value);
  if (Number.isSafeInteger(size)) return size;
  throw new RangeError(`dimension ${value.value} is beyond 2⁵³ − 1`);
}

function writeDimension(dimension: Dimension): MessageInitShape<typeof TensorShapeProto_DimensionSchema> {
  if (dimension === null) return {};
  if (typeof dimension === 'string') return { value: { case: 'dimParam', value: dimension } };
  return { value: { case: 'dimValue', value: BigInt(dimension) } };
}
