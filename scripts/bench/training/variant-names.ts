/** In the order of a round. Apart from the variants themselves, so that the page is made without loading a runtime. */
export const VARIANT_NAMES = [
  'matrix-peak',
  'onnx-batch-64',
  'onnx-batch-256',
  'tfjs-wasm-batch-64',
  'tfjs-wasm-plain-batch-64',
  'atelier-epochs',
  'atelier-epochs-without-augmentation',
  'deep-bn-epochs',
] as const;
export type VariantName = (typeof VARIANT_NAMES)[number];
