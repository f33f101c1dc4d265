export * from './attributes.ts';
export type { ArrayOf, ArrayType } from './bytes.ts';
export { byteCount, type DataType, dataTypeCode, dataTypeOf, elementCount } from './data-types.ts';
export { decodeModel } from './decode.ts';
export { encodeModel } from './encode.ts';
export * from './model.ts';
export * from './tensors.ts';
export * from './shape-inference/index.ts';
export * from './versions.ts';
