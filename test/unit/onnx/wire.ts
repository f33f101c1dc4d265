import { BinaryWriter } from '@bufbuild/protobuf/wire';

/** Messages written field by field, to make files that `encodeModel` would not. Numbers are those of onnx.proto. */
export type Field = readonly [number: number, content: string | Uint8Array | bigint];

export function message(...fields: readonly Field[]): Uint8Array {
  const writer = new BinaryWriter();
  for (const [number, content] of fields) {
    if (typeof content === 'bigint') writer.tag(number, 0).int64(content);
    else if (typeof content === 'string') writer.tag(number, 2).string(content);
    else writer.tag(number, 2).bytes(content);
  }
  return writer.finish();
}

/** The packed form of a repeated field: the elements one after the other. */
export function packed(write: (writer: BinaryWriter) => void): Uint8Array {
  const writer = new BinaryWriter();
  write(writer);
  return writer.finish();
}

export const MODEL = {
  irVersion: 1,
  producerName: 2,
  docString: 6,
  graph: 7,
  opset: 8,
  metadata: 14,
  training: 20,
  functions: 25,
  configuration: 26,
} as const;
export const GRAPH = {
  node: 1,
  name: 2,
  initializer: 5,
  docString: 10,
  input: 11,
  output: 12,
  value: 13,
  quantization: 14,
  sparse: 15,
  metadata: 16,
} as const;
export const NODE = {
  input: 1,
  output: 2,
  name: 3,
  opType: 4,
  attribute: 5,
  docString: 6,
  domain: 7,
  overload: 8,
  metadata: 9,
  devices: 10,
} as const;
export const ATTRIBUTE = {
  name: 1,
  i: 3,
  s: 4,
  t: 5,
  g: 6,
  ints: 8,
  docString: 13,
  tp: 14,
  type: 20,
  reference: 21,
} as const;
export const TENSOR = {
  dims: 1,
  type: 2,
  floats: 4,
  int32s: 5,
  strings: 6,
  int64s: 7,
  name: 8,
  raw: 9,
  doubles: 10,
  uint64s: 11,
  docString: 12,
  external: 13,
  location: 14,
  metadata: 16,
} as const;
export const TRAINING = { initialization: 1, algorithm: 2, initializationBinding: 3, updateBinding: 4 } as const;
export const VALUE = { name: 1, type: 2, docString: 3, metadata: 4 } as const;
