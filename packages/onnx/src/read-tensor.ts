import { arrayFromNumbers, littleEndianBytes } from './bytes.ts';
import { byteCount, DATA_TYPES, type DataType, dataTypeOf, elementCount } from './data-types.ts';
import { areFullyHeld, readEntries } from './entries.ts';
import { type TensorProto, TensorProto_DataLocation as DataLocation, TensorProtoSchema } from './generated/onnx_pb.js';
import type { OnnxTensor } from './model.ts';
import { remainderOf } from './remainder.ts';

/** A tensor with its elements as raw bytes, whichever field held them. Too few or too many are an error. */
export function readTensor(message: TensorProto): OnnxTensor {
  const type = dataTypeOf(message.dataType);
  if (!type) throw new Error(`data type ${message.dataType}; known are 1 to ${Object.keys(DATA_TYPES).length}`);
  const shape = message.dims.map(Number);
  const elements = elementCount(shape);
  const rest = remainderOf(TensorProtoSchema, message, heldFields(message));
  const tensor = { name: message.name, type, shape, data: new Uint8Array(), ...(rest && { rest }) };
  if (message.dataLocation === DataLocation.EXTERNAL) {
    return { ...tensor, external: readEntries(message.externalData) };
  }
  if (type === 'string') {
    return { ...tensor, strings: expectCount(message.stringData, elements, 'strings', message) };
  }
  return { ...tensor, data: expectCount(elementBytes(message, type), byteCount(type, shape), 'bytes', message) };
}

function heldFields(message: TensorProto): (keyof TensorProto)[] {
  return [
    'name',
    'dataType',
    'dims',
    'rawData',
    'dataLocation',
    'floatData',
    'doubleData',
    'int32Data',
    'int64Data',
    'uint64Data',
    'stringData',
    ...(areFullyHeld(message.externalData) ? (['externalData'] as const) : []),
  ];
}

function elementBytes(message: TensorProto, type: DataType): Uint8Array {
  // An empty raw_data beside a filled typed field occurs in old files.
  if (message.rawData.length > 0) return message.rawData;
  const { bits, field } = DATA_TYPES[type];
  switch (field) {
    case 'floatData':
      return littleEndianBytes(arrayFromNumbers('float32', message.floatData));
    case 'doubleData':
      return littleEndianBytes(arrayFromNumbers('float64', message.doubleData));
    case 'int64Data':
      return littleEndianBytes(arrayFromNumbers('int64', message.int64Data));
    case 'uint64Data':
      return littleEndianBytes(arrayFromNumbers(bits === 32 ? 'uint32' : 'uint64', message.uint64Data));
    case 'int32Data':
      if (bits === 32) return littleEndianBytes(arrayFromNumbers('int32', message.int32Data));
      // The lowest bits, whether the file holds int8 -1 as -1 or as 255; packed types have a byte in each entry.
      return littleEndianBytes(bits === 16 ? Uint16Array.from(message.int32Data) : Uint8Array.from(message.int32Data));
    case 'stringData':
      return new Uint8Array();
  }
}

function expectCount<Elements extends { length: number }>(
  found: Elements,
  expected: number,
  unit: string,
  message: TensorProto,
): Elements {
  // A segment is one piece of a tensor that is split over several.
  if (found.length === expected || message.segment) return found;
  throw new Error(`${found.length} ${unit} of elements; shape [${message.dims.join(', ')}] takes ${expected}`);
}
